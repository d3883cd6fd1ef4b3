import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { connectFramework, frameworks, mcpResource } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startServer, tokenFor, type TestServer } from './http-server.ts';

let sandbox: Sandbox;
let server: TestServer;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  server = await startServer(sandbox);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
});

const services = { 'ai-sdk': 'user-service', langchain: 'shipping-service' } as const;
const versions = { 'ai-sdk': '3.9.0', langchain: '2.2.0' } as const;

describe.each(frameworks)('an agent of %s', { timeout: 90_000 }, (framework) => {
  it('uses every tool and reads the configuration', async () => {
    const token = await tokenFor(sandbox, 'developer');
    await using client = await connectFramework(framework, { url: server.url, token });
    const call = async (tool: string, args: Readonly<Record<string, unknown>>) =>
      JSON.stringify(await client.callTool(tool, args));

    expect(client.tools).toHaveLength(5);
    const target = { service: services[framework], version: versions[framework], environment: 'staging' };
    await expect(call('list_services', { search: target.service })).resolves.toContain(target.service);
    await expect(call('check_deployment_prerequisites', target)).resolves.toContain('Ready');

    const triggered = await call('trigger_deployment', target);
    const taskId = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/u.exec(triggered)?.[0];
    await vi.waitFor(
      async () => expect(await call('check_deployment_status', { taskId })).toContain('completed'),
      { timeout: 60_000, interval: 250 },
    );

    const uri = `deployment://config/${target.service}/staging`;
    await expect(client.resources()).resolves.toContain(uri);
    expect(JSON.stringify(await client.readResource(uri))).toContain(target.version);
  });

  it('is told why it may not deploy to production', async () => {
    const token = await tokenFor(sandbox, 'developer');
    await using client = await connectFramework(framework, { url: server.url, token });
    const target = { service: services[framework], version: '9.0.0', environment: 'production' };
    const told = await client.callTool('trigger_deployment', target).then(JSON.stringify, String);
    expect(told).toContain('Not allowed: this needs the permission');
  });
});
