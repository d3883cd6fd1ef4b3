import { randomBytes } from 'node:crypto';

import { createEventBus, type RateLimiter } from '@mcp-parts/tool-kit';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { McpApp, McpAppOptions } from '../src/index.ts';
import {
  callEcho,
  echoApp,
  echoTable,
  initialize,
  legacyCall,
  modern,
  openSession,
  openStream,
  post,
} from './mcp-requests.ts';

const apps: McpApp[] = [];
function start(options: Parameters<typeof echoApp>[0] = {}): McpApp {
  const app = echoApp(options);
  apps.push(app);
  return app;
}
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

const remove = (app: McpApp, headers: Readonly<Record<string, string>>) =>
  app.fetch(
    new Request('http://mcp.test/mcp', { method: 'DELETE', headers: { 'x-api-key': 'ann', ...headers } }),
  );

describe('a session', () => {
  it('opens again in another process with the same key, for the same caller', async () => {
    const sessionKey = randomBytes(32);
    const session = await openSession(start({ sessionKey }));
    expect(session['mcp-session-id']).toMatch(/^[\x21-\x7E]+$/u);
    const other = start({ sessionKey });
    const answers = await Promise.all([1, 2, 3].map((id) => post(other, legacyCall('hi', id), session)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(other.open().sessions).toBe(1);
    expect((await post(other, legacyCall('hi'), { ...session, 'x-api-key': 'bob' })).status).toBe(404);
    expect((await post(start(), legacyCall('hi'), session)).status).toBe(404);
  });

  it.each([
    ['cut', (id: string) => id.slice(0, -2)],
    ['changed', (id: string) => `A${id.slice(1)}`],
    ['empty', () => ''],
    ['made up', () => 'f'.repeat(80)],
    ['too long', (id: string) => `${'A'.repeat(10_000)}${id}`],
  ])('has no other id, such as one that is %s', async (_what, change) => {
    const app = start();
    const session = await openSession(app);
    const headers = { 'mcp-session-id': change(session['mcp-session-id'] ?? '') };
    expect((await post(app, legacyCall('hi'), headers)).status).toBe(404);
  });

  it('that wakes while others of its caller do is served, or refused in words; no call is left without an answer', async () => {
    const sessionKey = randomBytes(32);
    const before = start({ sessionKey });
    const sessions = [];
    for (let count = 0; count < 6; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- One client after the other.
      sessions.push(await openSession(before));
    }
    const after = start({ sessionKey, maxSessionsPerCaller: 2 });
    for (const turn of [1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- All at once, as after a rollout, and again.
      const answers = await Promise.all(
        sessions.map((session) => post(after, legacyCall('hi', turn), session)),
      );
      for (const answer of answers) {
        // oxlint-disable-next-line no-await-in-loop -- All of them are there.
        const { result, error } = (await answer.json()) as {
          readonly result?: object;
          readonly error?: object;
        };
        expect([answer.status, result !== undefined, error !== undefined]).toEqual(
          answer.status === 200 ? [200, true, false] : [503, false, true],
        );
      }
      expect(after.open().calls).toBe(0);
      expect(after.open().sessions).toBeLessThanOrEqual(2);
    }
  });

  it('that sleeps is ended without being woken, by its caller alone', async () => {
    const sessionKey = randomBytes(32);
    const session = await openSession(start({ sessionKey }));
    const other = start({ sessionKey });
    expect((await remove(other, { ...session, 'x-api-key': 'bob' })).status).toBe(404);
    const [ended] = await Promise.all([remove(other, session), post(other, legacyCall('hi'), session)]);
    expect(ended.status).toBe(200);
    expect(other.open().sessions).toBe(0);
    expect((await remove(other, session)).status).toBe(404);
    expect((await post(other, legacyCall('hi'), session)).status).toBe(404);
  });

  it('that ends while a request of it is let in gives back the place of that request', async () => {
    const asked = Promise.withResolvers<void>();
    const counted = Promise.withResolvers<{ readonly allowed: true }>();
    let isHeld = false;
    const rateLimiter: RateLimiter = {
      consume() {
        if (!isHeld) {
          return { allowed: true };
        }
        asked.resolve();
        return counted.promise;
      },
    };
    const app = start({ table: echoTable({}, { rateLimiter, callerLimit: { perMinute: 9 } }) });
    const session = await openSession(app);
    isHeld = true;
    const answer = post(app, { jsonrpc: '2.0', id: 2, method: 'things/unknown' }, session);
    await asked.promise;
    isHeld = false;
    await remove(app, session);
    counted.resolve({ allowed: true });
    expect(await (await answer).text()).not.toContain('result');
    expect(app.open()).toMatchObject({ calls: 0, sessions: 0 });
  });

  it('that has slept for a day must begin anew', async () => {
    let time = Date.now();
    const app = start({ now: () => time, sessionKey: randomBytes(32) });
    const session = await openSession(app);
    await remove(app, await openSession(app));
    time += 24 * 60 * 60_000 + 1;
    const restarted = start({ now: () => time });
    expect((await post(restarted, legacyCall('hi'), session)).status).toBe(404);
  });

  it('ends with DELETE, and does not open again', async () => {
    const app = start();
    const session = await openSession(app);
    expect((await remove(app, session)).status).toBe(200);
    expect((await post(app, legacyCall('hi'), session)).status).toBe(404);
    expect((await remove(app, session)).status).toBe(404);
    expect((await remove(app, {})).status).toBe(400);
  });

  it('knows its client after it was opened again', async () => {
    const clients: unknown[] = [];
    const table = echoTable();
    const sessionKey = randomBytes(32);
    const seen: typeof table = {
      ...table,
      methods: new Map(
        [...table.methods].map(([method, handler]) => [
          method,
          (params, request) => {
            clients.push(request.client);
            return handler(params, request);
          },
        ]),
      ),
    };
    const session = await openSession(
      start({ sessionKey }),
      {},
      { clientInfo: { name: 'lens', version: '9' } },
    );
    await post(start({ sessionKey, table: seen }), legacyCall('hi'), session);
    expect(clients).toEqual([{ name: 'lens', version: '9' }]);
  });

  it.each([
    { protocolVersion: 5 },
    { capabilities: [] },
    { capabilities: { sampling: 1 } },
    { clientInfo: { name: 'x' } },
    { clientInfo: null },
  ])('is not opened for %o, which is explained', async (params) => {
    const app = start();
    const answer = await post(app, initialize(params));
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { readonly error: { readonly message: string } };
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/^initialize: /u) });
    expect(app.open().sessions).toBe(0);
  });

  it('keeps little of what its client says of itself', async () => {
    const app = start();
    const pad = 'x'.repeat(250_000);
    const session = await openSession(
      app,
      {},
      { clientInfo: { name: pad, version: pad }, capabilities: { experimental: { pad }, sampling: {} } },
    );
    expect(session['mcp-session-id']?.length).toBeLessThan(1_000);
    expect((await post(app, legacyCall('hi'), session)).status).toBe(200);
  });

  it('takes a task that it cannot run for an ordinary call', async () => {
    const app = start();
    const session = await openSession(app);
    const call = legacyCall('hi');
    const answer = await post(app, { ...call, params: { ...call.params, task: { ttl: 1_000 } } }, session);
    await expect(answer.json()).resolves.toMatchObject({ result: { structuredContent: { text: 'hi' } } });
  });

  it('refuses a version that nobody speaks, and takes its own', async () => {
    const app = start();
    const session = await openSession(app);
    const send = (version: string) =>
      post(app, legacyCall('hi'), { ...session, 'mcp-protocol-version': version });
    expect((await send('2025-11-25')).status).toBe(200);
    expect((await send('1999-01-01')).status).toBe(400);
  });
});

describe('a batch', () => {
  it('is answered as one in 2025-03-26', async () => {
    const app = start();
    const session = await openSession(app, {}, { protocolVersion: '2025-03-26' });
    const answer = await post(
      app,
      [legacyCall('one', 1), { jsonrpc: '2.0', method: 'notifications/initialized' }, legacyCall('two', 'b')],
      session,
    );
    const messages = (await answer.json()) as { readonly id: unknown }[];
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set([1, 'b']));
  });

  it('is unknown to later revisions', async () => {
    const app = start();
    const session = await openSession(app);
    expect((await post(app, [legacyCall('one')], session)).status).toBe(400);
    expect((await post(app, [modern('tools/list').body])).status).toBe(400);
  });
});

describe('cancelling a call of a session', () => {
  it('aborts it and frees its answer', async () => {
    const started = Promise.withResolvers<void>();
    const before = (_text: string, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        started.resolve();
      });
    const app = start({ table: echoTable({ before }) });
    const session = await openSession(app);
    const answer = post(app, legacyCall('hi', 9), session);
    await started.promise;
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } };
    // Another session's request has the same id.
    expect((await post(app, cancelled, await openSession(app))).status).toBe(202);
    expect(app.open().calls).toBe(1);
    expect((await post(app, cancelled, session)).status).toBe(202);
    await expect((await answer).text()).resolves.not.toContain('"id":9');
    await vi.waitFor(() => expect(app.open().calls).toBe(0));
  });
});

describe('a session that ends while a call runs', () => {
  it('frees the place of the call, and its answer', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const before = (_text: string, signal: AbortSignal) => {
      started.resolve(signal);
      return new Promise<void>(() => undefined);
    };
    const app = start({ table: echoTable({ before }) });
    const session = await openSession(app);
    const answer = post(app, legacyCall('hi', 9), session);
    const signal = await started.promise;
    expect(app.open().calls).toBe(1);
    expect((await remove(app, session)).status).toBe(200);
    expect(app.open().calls).toBe(0);
    expect(signal.aborted).toBe(true);
    await expect((await answer).text()).resolves.not.toContain('"id":9');
  });
});

describe('sessions beyond the limits', () => {
  it('put the oldest idle one of the same caller to sleep, from which it wakes', async () => {
    const app = start({ maxSessionsPerCaller: 2 });
    const first = await openSession(app);
    await openSession(app);
    await openSession(app);
    expect(app.open().sessions).toBe(2);
    expect((await post(app, legacyCall('hi'), first)).status).toBe(200);
    expect(app.open().sessions).toBe(2);
  });

  it('leave room for other callers', async () => {
    const app = start({ maxSessions: 10, maxSessionsPerCaller: 10 });
    for (let index = 0; index < 20; index += 1) {
      await openSession(app);
    }
    const bob = await openSession(app, { 'x-api-key': 'bob' });
    expect((await post(app, legacyCall('hi'), bob)).status).toBe(200);
    expect(app.open().sessions).toBe(10);
  });

  it('are not opened by asking for many at once', async () => {
    const app = start({ maxSessions: 5, maxSessionsPerCaller: 3 });
    const callers = ['ann', 'ann', 'ann', 'ann', 'bob', 'bob', 'bob', 'bob', 'cid', 'cid', 'cid'];
    const answers = await Promise.all(
      callers.map((caller) => post(app, initialize(), { 'x-api-key': caller })),
    );
    expect(app.open().sessions).toBeLessThanOrEqual(5);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
  });

  it('are refused while all are in use', async () => {
    const app = start({ maxSessions: 1 });
    const first = await openSession(app);
    const stream = await openStream(app, first);
    const refused = await post(app, initialize());
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('30');
    await stream.body?.cancel();
    await openSession(app);
  });
});

describe('limits', () => {
  const held = () => {
    const release = Promise.withResolvers<void>();
    return { table: echoTable({ before: () => release.promise }), release: release.resolve };
  };

  it('of calls at once are a share for each caller, in both eras', async () => {
    const { table, release } = held();
    const app = start({ table, maxInFlightPerCaller: 2 });
    const session = await openSession(app);
    const running = [callEcho(app, { text: 'a' }), post(app, legacyCall('b'), session)];
    await vi.waitFor(() => expect(app.open().calls).toBe(2));
    for (const refused of [
      await callEcho(app, { text: 'c' }),
      await post(app, legacyCall('d', 5), session),
    ]) {
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/u);
      await expect(refused.json()).resolves.toMatchObject({
        id: expect.any(Number),
        error: { code: -32000 },
      });
    }
    const other = callEcho(app, { text: 'e' }, { 'x-api-key': 'bob' });
    release();
    expect((await Promise.all([...running, other])).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('of calls in all shed lists first, and never a ping', async () => {
    const { table, release } = held();
    const app = start({ table, maxInFlight: 4 });
    const session = await openSession(app);
    const running = [1, 2, 3].map(() => callEcho(app, { text: 'a' }));
    await vi.waitFor(() => expect(app.open().calls).toBe(3));
    const list = modern('tools/list');
    const shed = await post(app, list.body, list.headers);
    expect(shed.status).toBe(503);
    expect(Number(shed.headers.get('retry-after'))).toBeGreaterThan(0);
    running.push(callEcho(app, { text: 'a' }));
    await vi.waitFor(() => expect(app.open().calls).toBe(4));
    expect((await callEcho(app, { text: 'a' })).status).toBe(503);
    expect((await post(app, { jsonrpc: '2.0', id: 1, method: 'ping' }, session)).status).toBe(200);
    release();
    await Promise.all(running);
    expect((await post(app, list.body, list.headers)).status).toBe(200);
  });

  it('of streams are a share for each caller', async () => {
    const app = start({ maxStreamsPerCaller: 1 });
    const stream = await openStream(app, await openSession(app));
    const second = await openSession(app);
    expect((await openStream(app, second)).status).toBe(429);
    const bob = await openSession(app, { 'x-api-key': 'bob' });
    expect((await openStream(app, bob)).status).toBe(200);
    await stream.body?.cancel();
    await vi.waitFor(async () => expect((await openStream(app, second)).status).toBe(200));
  });

  it('of the rate count what opens a session or a stream', async () => {
    const consumed: string[] = [];
    const rateLimiter: RateLimiter = {
      consume(key: string) {
        consumed.push(key);
        return Promise.resolve(
          consumed.length > 2 ? { allowed: false, retryAfterMs: 1_500 } : { allowed: true },
        );
      },
    };
    const table = echoTable({}, { rateLimiter, callerLimit: { perMinute: 2 } });
    const app = start({ table });
    const session = await openSession(app);
    expect((await openStream(app, session)).status).toBe(200);
    const refused = await post(app, initialize());
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
    expect((await post(app, listen.body, listen.headers)).status).toBe(429);
    expect((await post(app, { jsonrpc: '2.0', id: 1, method: 'ping' }, session)).status).toBe(200);
    expect((await remove(app, session)).status).toBe(200);
    expect(new Set(consumed)).toEqual(new Set(['caller:local#ann']));
    expect(consumed).toHaveLength(4);
  });

  it('hold an address back before anything is spent on it', async () => {
    const authenticate = vi.fn<McpAppOptions['authenticate']>(() => ({ refused: { status: 401 } }));
    const app = start({ authenticate, maxRefusalsPerMinute: 3 });
    const send = (sourceAddress: string) =>
      app.fetch(new Request('http://mcp.test/mcp', { method: 'POST', body: '{}' }), { sourceAddress });
    for (let index = 0; index < 3; index += 1) {
      expect((await send('192.0.2.1')).status).toBe(401);
    }
    const held = await send('192.0.2.1');
    expect(held.status).toBe(429);
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(authenticate).toHaveBeenCalledTimes(3);
    expect((await send('192.0.2.2')).status).toBe(401);
  });
});

describe('subscriptions/listen', () => {
  async function listen(app: McpApp, notifications: object, headers = {}) {
    const request = modern('subscriptions/listen', { notifications }, 'sub');
    return post(app, request.body, { ...request.headers, ...headers });
  }

  it('says first what it will tell, then tells it, and ends with a result', async () => {
    const events = createEventBus();
    const app = start({ table: echoTable({}, { events }) });
    const answer = await listen(app, { toolsListChanged: true, promptsListChanged: true });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    await vi.waitFor(() => expect(app.open().streams).toBe(1));
    events.publish({ kind: 'tools_list_changed' });
    events.publish({ kind: 'resource_updated', uri: 'thing://1' });
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (chunk.includes('list_changed')) {
        await app.drain(0);
      }
    }
    const messages = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as object);
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
    expect(messages).toMatchObject([
      {
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { toolsListChanged: true }, _meta },
      },
      { method: 'notifications/tools/list_changed', params: { _meta } },
      { id: 'sub', result: { resultType: 'complete', _meta } },
    ]);
    expect(app.open().streams).toBe(0);
  });

  it('ends at once where nothing can ever happen', async () => {
    const app = start();
    const text = await (await listen(app, { toolsListChanged: true })).text();
    expect(text).toContain('"notifications":{}');
    expect(text).toContain('"resultType":"complete"');
  });

  it.each([undefined, 'all', [], { resourceSubscriptions: 'thing://1' }])(
    'must say what it wants, and %j does not',
    async (notifications) => {
      const app = start();
      const answer = await listen(app, notifications as object);
      await expect(answer.json()).resolves.toMatchObject({ id: 'sub', error: { code: -32602 } });
    },
  );
});
