import { localCaller } from '@mcp-parts/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { serveHttp } from '../src/index.ts';
import { startGuardedServer, type GuardedServer } from './guarded-server.ts';
import { openClient } from './mcp-request.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await startGuardedServer();
});
afterAll(() => guarded[Symbol.asyncDispose]());

const CALLS = 500;
const isList = (value: unknown, length: number) => Array.isArray(value) && value.length === length;

describe('two users on one server', () => {
  it.each(['2025', '2026'] as const)(
    'get their own answers and their own lists in 500 interleaved calls each (%s)',
    async (era) => {
      const users = await Promise.all(
        ['ann', 'vic'].map(async (subject) => ({
          subject,
          tools: subject === 'ann' ? 2 : 1,
          client: await openClient(guarded.url, era, guarded.token(subject)),
        })),
      );
      // Small groups at a time, so that calls of both are always under way and none waits for a socket too long.
      let wrong = 0;
      for (let start = 0; start < CALLS; start += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, index) => start + index).flatMap((number) =>
            users.map(async ({ subject, tools, client }) => {
              if (number % 5 === 0) {
                const { message } = await client.send('tools/list');
                wrong += isList(message.result?.['tools'], tools) ? 0 : 1;
                return;
              }
              const nonce = `${subject}-${number}`;
              const { message } = await client.send('tools/call', { name: 'whoami', arguments: { nonce } });
              const text = JSON.stringify(message.result?.['structuredContent']);
              wrong += text.endsWith(`#${subject}","nonce":"${nonce}"}`) ? 0 : 1;
            }),
          ),
        );
      }
      expect(wrong).toBe(0);
    },
    60_000,
  );

  it('cannot use each other’s session', async () => {
    const ann = await openClient(guarded.url, '2025', guarded.token('ann'));
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status } = await fetch(guarded.url, {
        method,
        headers: { ...ann.headers, authorization: `Bearer ${guarded.token('vic')}` },
        ...(method === 'POST' && { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) }),
      });
      expect(status).toBe(404);
    }
    expect((await ann.send('tools/list')).status).toBe(200);
  });

  it('keep their session with a new token, and lose it with none', async () => {
    const ann = await openClient(guarded.url, '2025', guarded.token('ann'));
    const renewed = { authorization: `Bearer ${guarded.token('ann')}` };
    expect((await ann.send('tools/list', {}, renewed)).status).toBe(200);
    expect((await ann.send('tools/list', {}, { authorization: '' })).status).toBe(401);
  });
});

describe('a server without authentication', () => {
  const gate = { unauthenticated: localCaller({ name: 'unauthenticated', permissions: ['deploy:read'] }) };

  it.each([
    ['another address', { host: '0.0.0.0', allowedHosts: ['mcp.example.test'] }],
    ['a name that only looks like loopback', { host: '127.evil.test', allowedHosts: ['127.evil.test'] }],
    ['a proxy', { trustedProxies: ['127.0.0.1'] }],
  ])('does not start behind %s', async (_, options) => {
    await expect(serveHttp(guarded.server, { port: 0, gate, ...options })).rejects.toThrow(/^gate: without/);
  });

  it('warns, reads, deploys nothing, and refuses what a proxy passed on', async () => {
    guarded.logged.length = 0;
    await using open = await serveHttp(guarded.server, { port: 0, gate, drainMs: 0 });
    expect(guarded.logged.map(({ message }) => message).join()).toContain('AUTHENTICATION IS OFF');
    const client = await openClient(open.url, '2026', 'ignored');
    const { message } = await client.send('tools/list');
    expect(message.result?.['tools']).toMatchObject([{ name: 'whoami' }]);
    const denied = await client.send('tools/call', { name: 'deploy', arguments: { environment: 'staging' } });
    expect(denied.message.error).toBeDefined();
    for (const header of ['x-forwarded-for', 'forwarded']) {
      expect((await client.send('tools/list', {}, { [header]: 'for=192.0.2.1' })).status).toBe(403);
    }
  });
});
