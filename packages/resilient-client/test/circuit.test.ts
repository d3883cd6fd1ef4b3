import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';

import {
  createClient,
  defineEndpoint,
  type CallPolicy,
  type CircuitOutcome,
  type Client,
  type ClientEvent,
} from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const policy = { retry: { maxRetries: 0 } };

const call = (api: Client) => api.call(readThing, { params: { id: 'a' } }, { signal });

async function callTimes(api: Client, times: number) {
  for (let i = 0; i < times; i++) {
    await call(api);
  }
}

describe('circuit', () => {
  it('sheds load after five failures without touching the wire, and says when to come back', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 500, {}));
    const clock = createTestClock();
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy,
      clock,
      random: () => 0,
    });

    await callTimes(api, 5);
    clock.advance(18_000);
    const result = await call(api);

    expect(upstream.received).toHaveLength(5);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'circuit_open', sent: 'no', attempts: 0, retryAfterMs: 42_000, isRetryable: true },
    });
    expect(!result.ok && result.error.publicMessage).toMatch(/nothing was sent\. Try again in 42 s\.$/);
    expect(api.health()).toEqual({
      'things.read': { state: 'open', consecutiveFailures: 5, retryInMs: 42_000 },
    });
  });

  it('sends one of 20 concurrent calls when half-open, and all again once that one succeeded', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count <= 5 ? 500 : 200, { id: 'a' }),
    );
    const clock = createTestClock();
    const events: ClientEvent[] = [];
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy,
      clock,
      on: (event) => events.push(event),
    });
    await callTimes(api, 5);
    clock.advance(66_000);

    const results = await Promise.all(Array.from({ length: 20 }, () => call(api)));

    expect(upstream.received).toHaveLength(6);
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    expect(await call(api)).toMatchObject({ ok: true });
    const changes = events.flatMap((event) =>
      event.type === 'circuit' ? [`${event.from}>${event.to}`] : [],
    );
    expect(changes).toEqual(['closed>open', 'open>half_open', 'half_open>closed']);
  });

  it('stays closed when the upstream is only too busy', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 429, {}));
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });

    await callTimes(api, 10);

    expect(upstream.received).toHaveLength(10);
    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it('stays closed whatever the upstream says about the requests', async () => {
    const statuses = [400, 401, 403, 404, 409, 422, 429, 501];
    await using upstream = await startUpstream((_, response, count) =>
      json(response, statuses[count % 8] ?? 400, {}),
    );
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });

    await callTimes(api, 40);

    expect(upstream.received).toHaveLength(40);
    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it('stays closed when the answers break their contract', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { wrong: true }));
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });

    await callTimes(api, 10);

    expect(api.health()['things.read']?.state).toBe('closed');
  });

  it('stays closed when callers give up', async () => {
    const arrived: (() => void)[] = [];
    await using upstream = await startUpstream(() => arrived.shift()?.());
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });

    for (let i = 0; i < 6; i++) {
      const caller = new AbortController();
      arrived.push(() => caller.abort());
      const result = await api.call(readThing, { params: { id: 'a' } }, { signal: caller.signal });
      expect(result).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    }

    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it('counts a call once, however often it was sent', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 503, {}));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      retryBudget: { minRetries: 100 },
      random: () => 0,
    });

    await callTimes(api, 4);

    expect(upstream.received).toHaveLength(12);
    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 4 });
    await callTimes(api, 2);
    expect(upstream.received).toHaveLength(15);
    expect(api.health()['things.read']).toMatchObject({ state: 'open', consecutiveFailures: 5 });
  });

  it('counts a call that succeeded in the end as a success', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count % 2 === 1 ? 503 : 200, { id: 'a' }),
    );
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      retryBudget: { minRetries: 100 },
      random: () => 0,
    });

    await callTimes(api, 20);

    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it('does not retry into a circuit that opened meanwhile, and reports the failure instead of the circuit', async () => {
    const types: string[] = [];
    await using upstream = await startUpstream((_, response) => {
      api.isolate(readThing);
      json(response, 503, {});
    });
    await using api: Client = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      on: ({ type }) => types.push(type),
    });

    const result = await call(api);

    expect(upstream.received).toHaveLength(1);
    expect(types).toContain('retry_denied');
    expect(result).toMatchObject({ ok: false, error: { code: 'server_error', status: 503, attempts: 1 } });
  });

  it('sends a probe once, whatever retries are left', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 503, {}));
    const clock = createTestClock();
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy: { breaker: { failures: 1 } },
      retryBudget: { minRetries: 100 },
      clock,
    });
    await clock.settle(call(api));
    const before = upstream.received.length;
    clock.advance(66_000);

    await clock.settle(call(api));

    expect(upstream.received.length - before).toBe(1);
    expect(api.health()['things.read']).toMatchObject({ state: 'open' });
  });
});

describe('a request that nobody could send', () => {
  const connectTo = (code: string) =>
    new Agent({ connect: (_, callback) => callback(Object.assign(new Error(code), { code }), null) });

  it.each([
    'ENOTFOUND',
    'EAI_AGAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
    'ECONNRESET',
  ])('says nothing about the upstream when it is for %s', async (code) => {
    const dispatcher = connectTo(code);
    await using api = createClient({
      name: 'thing service',
      baseUrl: 'https://things.example',
      policy,
      dispatcher,
    });

    for (let i = 0; i < 10; i++) {
      expect(await call(api)).toMatchObject({ ok: false, error: { code: 'network', sent: 'no' } });
    }

    expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])(
    'tells that nobody is there when it is for %s',
    async (code) => {
      const dispatcher = connectTo(code);
      await using api = createClient({
        name: 'thing service',
        baseUrl: 'https://things.example',
        policy,
        dispatcher,
      });

      await callTimes(api, 5);

      expect(api.health()['things.read']).toMatchObject({ state: 'open' });
    },
  );
});

describe('a predicate for failures', () => {
  const healthOf = async (
    isFailure: CallPolicy['breaker']['isFailure'],
    status: number,
    body: unknown,
    times = 5,
  ) => {
    await using upstream = await startUpstream((_, response) => json(response, status, body));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy: { ...policy, breaker: { isFailure } },
    });
    await callTimes(api, times);
    return api.health()['things.read']?.state;
  };

  it('may count what is none by default, such as a 404 or what the data says', async () => {
    expect(await healthOf(({ status }) => status === 404, 404, {})).toBe('open');
    const isDown = ({ data }: CircuitOutcome) => (data as { id?: string } | undefined)?.id === 'down';
    expect(await healthOf(isDown, 200, { id: 'down' })).toBe('open');
    expect(await healthOf(isDown, 200, { id: 'up' })).toBe('closed');
  });

  it('may take for health what is a failure by default', async () => {
    expect(await healthOf(() => false, 500, {}, 20)).toBe('closed');
  });

  it('leaves to the default what it does not decide, or breaks over', async () => {
    expect(await healthOf(() => undefined, 500, {})).toBe('open');
    const broken = () => {
      throw new Error('broken');
    };
    expect(await healthOf(broken, 500, {})).toBe('open');
    expect(await healthOf(broken, 404, {})).toBe('closed');
  });

  it('is told how the call went', async () => {
    const seen: CircuitOutcome[] = [];
    await healthOf((outcome) => (seen.push(outcome), undefined), 503, {}, 1);
    expect(seen).toEqual([
      {
        code: 'server_error',
        status: 503,
        sent: 'yes',
        data: undefined,
        problem: {},
        attempts: 1,
        slowestMs: expect.any(Number),
      },
    ]);
  });
});

describe('slow calls', () => {
  it('open the circuit at their share, though each succeeds; waits of the client are not counted', async () => {
    const clock = createTestClock();
    let tookMs = 999;
    await using upstream = await startUpstream((_, response) => {
      clock.advance(tookMs);
      json(response, 200, { id: 'a' });
    });
    const rate = { percent: 50, minCalls: 10, windowMs: 60_000, slowCallMs: 1_000 };
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy: { ...policy, breaker: { rate } },
      clock,
    });

    await callTimes(api, 5);
    tookMs = 1_001;
    await callTimes(api, 4);
    expect(api.health()['things.read']?.state).toBe('closed');
    await callTimes(api, 1);

    expect(api.health()['things.read']?.state).toBe('open');
  });
});

describe('isolation by hand', () => {
  const other = defineEndpoint({ ...readThing, id: 'things.other' });
  const read = { params: { id: 'a' } };

  it('keeps calls from an endpoint until it is reset, and from no other', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const clock = createTestClock();
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, clock });

    api.isolate(readThing);
    clock.advance(1e9);

    const result = await call(api);
    expect(result).toMatchObject({ ok: false, error: { code: 'circuit_open', sent: 'no', attempts: 0 } });
    expect(!result.ok && result.error.retryAfterMs).toBeUndefined();
    expect(await api.call(other, read, { signal })).toMatchObject({ ok: true });
    expect(api.health()['things.read']).toEqual({ state: 'isolated', consecutiveFailures: 0 });
    api.reset(readThing);
    expect(await call(api)).toMatchObject({ ok: true });
  });

  it('keeps calls from every endpoint of a client, also from those not called before', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url });
    await call(api);

    api.isolate();
    expect(await call(api)).toMatchObject({ error: { code: 'circuit_open' } });
    expect(await api.call(other, read, { signal })).toMatchObject({ error: { code: 'circuit_open' } });
    api.reset();

    expect(await call(api)).toMatchObject({ ok: true });
    expect(await api.call(other, read, { signal })).toMatchObject({ ok: true });
    expect(upstream.received).toHaveLength(3);
  });

  it('ends with a reset that also lifts an open circuit and a wait that was asked for', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 429 : count <= 6 ? 500 : 200, { id: 'a' }, { 'retry-after': '60' }),
    );
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });

    await call(api);
    expect(await call(api)).toMatchObject({ error: { code: 'throttled', sent: 'no' } });
    for (let i = 0; i < 5; i++) {
      api.reset(readThing);
      expect(await call(api)).toMatchObject({ error: { code: 'server_error' } });
    }
    api.reset();
    expect(await call(api)).toMatchObject({ ok: true });
  });
});

describe('the circuit of an upstream', () => {
  const first = defineEndpoint({ ...readThing, id: 'things.first', breaker: 'upstream' });
  const second = defineEndpoint({ ...readThing, id: 'things.second', breaker: 'upstream' });
  const read = { params: { id: 'a' } };

  it('opens for all endpoints that share it, and for no other', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count <= 5 ? 500 : 200, { id: 'a' }),
    );
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, policy });
    for (const shared of [first, second, first, second, first]) {
      await api.call(shared, read, { signal });
    }

    const results = await Promise.all([first, second].map((shared) => api.call(shared, read, { signal })));

    expect(results.map((result) => !result.ok && result.error.code)).toEqual([
      'circuit_open',
      'circuit_open',
    ]);
    expect(await call(api)).toMatchObject({ ok: true });
    expect(api.health()).toMatchObject({ '*': { state: 'open' }, 'things.read': { state: 'closed' } });
  });

  it('has the policy of the client, so an endpoint cannot bring another', () => {
    expect(() => defineEndpoint({ ...first, policy: { breaker: { failures: 1 } } })).toThrow(
      "the circuit of an upstream has the client's policy.breaker",
    );
  });
});
