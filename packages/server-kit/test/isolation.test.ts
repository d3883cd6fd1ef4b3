import { localCaller, type Caller } from '@mcp-parts/auth';
import type { JsonObject } from '@mcp-parts/tool-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { serveHttp } from '../src/index.ts';
import { policy, startGuardedServer, type GuardedServer } from './guarded-server.ts';
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

describe('the same policy on both transports', () => {
  const table = [
    ['ann', 'deploy:read deploy:staging deploy:production', 'staging', 'allowed'],
    ['ann', 'deploy:read deploy:staging deploy:production', 'production', 'allowed'],
    ['ann', 'deploy:admin', 'production', 'allowed'],
    ['ann', 'deploy:read deploy:staging', 'production', 'denied'],
    ['ann', 'deploy:read', 'staging', 'denied'],
    ['ben', 'deploy:read deploy:staging deploy:production', 'staging', 'allowed'],
    ['ben', 'deploy:read deploy:staging deploy:production', 'production', 'denied'],
    ['vic', 'deploy:read deploy:staging deploy:production', 'staging', 'denied'],
    ['nobody', 'deploy:read deploy:staging deploy:production', 'staging', 'denied'],
  ] as const;

  it.each(table)('%s with "%s" deploying to %s is %s', async (subject, scope, environment, expected) => {
    const params = { name: 'deploy', arguments: { environment } };
    const client = await openClient(guarded.url, '2026', guarded.token(subject, { scope }));
    const http = await client.send('tools/call', params);
    const isAllowed =
      http.status === 200 &&
      http.message.result?.['isError'] === undefined &&
      http.message.error === undefined;
    expect(isAllowed ? 'allowed' : 'denied').toBe(expected);

    const caller = await stdioCaller(subject, scope);
    expect(await onStdio(caller, params)).toBe(expected);
  });

  it('lets a local caller of stdio do nothing that has a requirement', async () => {
    const caller = localCaller({ name: 'stdio', permissions: ['deploy:staging', 'deploy:production'] });
    expect(await onStdio(caller, { name: 'deploy', arguments: { environment: 'staging' } })).toBe('allowed');
    expect(await onStdio(caller, { name: 'deploy', arguments: { environment: 'production' } })).toBe(
      'denied',
    );
  });

  /** As `authenticateToken` makes it for a process that was given this token. */
  async function stdioCaller(subject: string, scope: string): Promise<Caller> {
    const groups = await guarded.groupsOf(
      { id: `i#${subject}`, issuer: 'i', subject, kind: 'user', scopes: [], expiresAt: 0 },
      { signal: AbortSignal.timeout(5_000) },
    );
    const known = {
      id: `i#${subject}`,
      issuer: 'i',
      subject,
      kind: 'user',
      groups,
      scopes: scope.split(' '),
    } as const;
    return { ...known, permissions: policy.permissionsFor(known), expiresAt: Date.now() + 60_000 };
  }

  async function onStdio(caller: Caller, params: JsonObject): Promise<string> {
    const call = guarded.server.table.methods.get('tools/call');
    const request = {
      caller,
      signal: AbortSignal.timeout(5_000),
      era: '2026',
      transport: 'stdio',
      correlationId: 'c',
    } as const;
    try {
      const result = await call?.(params, request);
      return result?.['isError'] === true ? 'denied' : 'allowed';
    } catch {
      // A target that the caller may not see.
      return 'denied';
    }
  }
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
