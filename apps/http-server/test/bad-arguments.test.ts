import { randomUUID } from 'node:crypto';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { assertPublic, connectClient, mcpResource, sdkClients, textOf } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { assertServes } from './assert-serves.ts';
import { startServer, tokenFor, type TestServer } from './http-server.ts';

let sandbox: Sandbox;
let server: TestServer;
let token: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  server = await startServer(sandbox);
  token = await tokenFor(sandbox, 'developer');
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
});

// Whatever was asked, the next call is served.
afterEach(() => assertServes(server, token));

describe.each(sdkClients)('the client of %s', (kind) => {
  const client = () => connectClient(kind, { url: server.url, token });

  it.for([
    { service: '../../etc/passwd', version: '1.0.0', environment: 'staging' },
    { service: 'payment-service', version: '../1.0.0', environment: 'staging' },
    { service: 'payment-service', version: '1.0.0', environment: '../production' },
    { service: 'payment-service/../user-service', version: '1.0.0', environment: 'staging' },
    { service: 'payment-service', version: '1.0.0', environment: 'staging', force: true },
    {},
  ])('is told which arguments are wrong: %j', async (args) => {
    await using connected = await client();
    const before = sandbox.requests('configuration').length;
    const answer = await connected.callTool('check_deployment_prerequisites', args);
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toMatch(/^Invalid arguments for check_deployment_prerequisites\./u);
    expect(textOf(answer)).not.toContain('etc/passwd');
    assertPublic(answer, sandbox);
    expect(sandbox.requests('configuration')).toHaveLength(before);
  });

  it.for([
    'deployment://config/../../etc/passwd',
    'deployment://config/payment-service/..%2Fproduction',
    'deployment://config/%2e%2e/staging',
    'file:///etc/passwd',
    'deployment://config/no-such-service/staging',
  ])('finds no resource at %s', async (uri) => {
    await using connected = await client();
    const error = await connected.readResource(uri).then(
      () => expect.unreachable('it was read'),
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
    assertPublic((error as Error).message, sandbox);
    expect(
      sandbox
        .requests('configuration')
        .map(({ path }) => path)
        .join('\n'),
    ).not.toMatch(/\.\.|%2e|passwd/iu);
  });

  it('is told what to do about a service that does not exist', async () => {
    await using connected = await client();
    const target = { service: 'no-such-service', version: '1.0.0', environment: 'staging' };
    const answer = await connected.callTool('check_deployment_prerequisites', target);
    expect(answer).toMatchObject({ isError: true, structuredContent: { ready: false } });
    expect(textOf(answer)).toContain('list_services');
    assertPublic(answer, sandbox);
  });

  it('finds no prompt and no task of a name that it made up', async () => {
    await using connected = await client();
    await expect(connected.getPrompt('no-such-prompt', {})).rejects.toMatchObject({ code: -32602 });
    const status = await connected.callTool('check_deployment_status', { taskId: randomUUID() });
    expect(status.isError).toBe(true);
    expect(textOf(status)).toContain('There is no task with this taskId that you started.');
  });
});
