import { describe, expect, it } from 'vitest';

import { createClient, defineEndpoint, type Client, type ClientEvent } from '../src/index.ts';
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

  it('does not retry into the circuit its own failures opened, and reports the failure instead of the circuit', async () => {
    const types: string[] = [];
    await using upstream = await startUpstream((_, response) => json(response, 503, {}));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      policy: { retry: { maxRetries: 9 } },
      retryBudget: { minRetries: 9 },
      random: () => 0,
      on: ({ type }) => types.push(type),
    });

    const result = await call(api);

    expect(upstream.received).toHaveLength(5);
    expect(types.filter((type) => type === 'retry')).toHaveLength(4);
    expect(result).toMatchObject({ ok: false, error: { code: 'server_error', status: 503, attempts: 5 } });
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
