import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { describe, expect, it } from 'vitest';

import { startServer, tokenFor } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

async function createWorld(settings: Readonly<Record<string, string>> = {}) {
  const sandbox = await startSandbox({ mcpResource });
  const server = await startServer(sandbox, settings);
  const token = await tokenFor(sandbox, 'developer');
  return {
    sandbox,
    server,
    /** Calls a tool and returns the line that says why it failed, as it was written. */
    async failingCall(): Promise<string> {
      await send(server.url, modernCall(token, 'list_services', {}));
      await server.process.logged('call failed');
      const lines = server.process.stderr().split('\n');
      return lines.find((line) => line.includes('"call failed"')) ?? '';
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

describe.concurrent('the log line of a call that failed', { timeout: 60_000 }, () => {
  it.for([
    ['404', 'not_found'],
    ['409', 'conflict'],
    ['503', 'server_error'],
  ] as const)(
    'says in less than 1 KiB, without a stack, that a backend answered %s',
    async ([status, code]) => {
      await using world = await createWorld();
      await world.sandbox.faults.set('configuration', { kind: 'status', status: Number(status) });
      const line = await world.failingCall();
      expect(Buffer.byteLength(line)).toBeLessThan(1_024);
      expect(line).not.toMatch(/stack|\bat .*\.[jt]s:\d/u);
      expect(JSON.parse(line)).toMatchObject({
        level: 'warn',
        code,
        target: 'list_services',
        correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/u),
        failure: { type: 'ClientError', message: expect.stringContaining(`(${status})`) },
      });
    },
  );

  it('says why a backend could not be reached', async () => {
    await using world = await createWorld();
    await world.sandbox.faults.set('configuration', { kind: 'down' });
    const line = await world.failingCall();
    expect(Buffer.byteLength(line)).toBeLessThan(1_024);
    expect(line).toContain('ECONNREFUSED');
    expect(line).not.toContain('stack');
  });

  it('says that the server itself is not let in, in words that are not masked', async () => {
    await using world = await createWorld({ PLATFORM_CLIENT_SECRET: 'not the one' });
    const line = await world.failingCall();
    expect(Buffer.byteLength(line)).toBeLessThan(1_024);
    expect(line).toContain('unauthenticated (401)');
    expect(line).not.toContain('[Redacted]');
  });
});
