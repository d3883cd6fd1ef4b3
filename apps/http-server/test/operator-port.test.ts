import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { describe, expect, it } from 'vitest';

import { startServer } from './http-server.ts';
import { send } from './raw-request.ts';

async function createWorld(settings: Readonly<Record<string, string>>) {
  const sandbox = await startSandbox({ mcpResource });
  const server = await startServer(sandbox, settings);
  const { operatorUrl } = await server.process.logged('listening');
  return {
    server,
    operatorUrl: String(operatorUrl),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

describe.concurrent('a port for operators', { timeout: 60_000 }, () => {
  it('has the metrics and the details, and leaves states alone to the service port', async () => {
    await using world = await createWorld({ OPERATOR_PORT: '0' });
    const { server, operatorUrl } = world;
    expect(new URL(operatorUrl).port).not.toBe(new URL(server.url).port);

    expect(JSON.parse((await send(`${operatorUrl}/ready`)).text)).toMatchObject({
      status: 'ready',
      checks: { audit: 'ok' },
      facts: expect.any(Array),
    });
    expect(JSON.parse((await send(`${server.origin}/ready`)).text)).toEqual({ status: 'ready' });
    expect((await send(`${server.origin}/health`)).status).toBe(200);

    expect((await send(`${server.origin}/metrics`)).status).toBe(404);
    expect((await send(server.url, { method: 'POST' })).status).toBe(401);
    const { text } = await send(`${operatorUrl}/metrics`);
    const refused = text
      .split('\n')
      .filter((line) => line.startsWith('http_server_request_duration_seconds_count'));
    expect(refused.filter((line) => line.includes('status_code="401"'))).toHaveLength(1);
    expect(refused.every((line) => /http_route="(?:\/mcp|\/health|\/ready|\/metrics)"/u.test(line))).toBe(
      true,
    );
  });

  it('speaks no MCP, and answers to no foreign host name on loopback', async () => {
    await using world = await createWorld({ OPERATOR_PORT: '0' });
    const { operatorUrl } = world;
    expect((await send(`${operatorUrl}/mcp`, { method: 'POST' })).status).toBe(404);
    const rebound = await send(`${operatorUrl}/metrics`, { headers: { host: 'attacker.example' } });
    expect(rebound.status).toBe(403);
  });

  it('is the only one with metrics when the service port is open to a network', async () => {
    await using world = await createWorld({ HOST: '0.0.0.0', ALLOWED_HOSTS: '127.0.0.1' });
    const port = new URL(world.server.url).port;
    expect((await send(`http://127.0.0.1:${port}/metrics`)).status).toBe(404);
    expect((await send(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
  });
});
