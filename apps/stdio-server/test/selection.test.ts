import { connectClient, runToEnd } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createWorld, program, type World } from './stdio-server.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function connect(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const env = { ...(await world.settings('release-manager')), ...variables };
  return connectClient('sdk-2.x-pinned', { program: { ...program, args: [...program.args, ...args] }, env });
}

/** The tools that follow a task go with the one that begins it. */
const reads = ['list_services', 'check_deployment_prerequisites'];
const trigger = { service: 'payment-service', version: '2.4.1', environment: 'staging' };

describe.concurrent('a server', { timeout: 60_000 }, () => {
  it('with --read-only shows and runs no tool that changes anything', async () => {
    await using client = await connect(['--read-only']);
    const tools = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(reads);
    await expect(client.callTool('trigger_deployment', trigger)).rejects.toThrow('Unknown tool');
    await expect(client.callTool('list_services')).resolves.not.toHaveProperty('isError');
  });

  it('with TOOLSETS=services shows and runs no tool of another', async () => {
    await using client = await connect([], { TOOLSETS: 'services' });
    const tools = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['list_services']);
    await expect(client.callTool('trigger_deployment', trigger)).rejects.toThrow('Unknown tool');
  });

  it('knows its toolsets by name', async () => {
    const { code, stderr } = await runToEnd(program, { args: ['--toolsets', 'service'] });
    expect(code).toBe(2);
    expect(stderr).toContain('TOOLSETS: entry 1 must be one of services, deployments: write services');
  });
});
