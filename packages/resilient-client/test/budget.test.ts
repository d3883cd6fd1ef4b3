import { describe, expect, it } from 'vitest';

import { type Client, createClient, defineEndpoint, type ClientEvent } from '../src/index.ts';
import { createTestClock, refuse, reply, createScriptedUpstream } from '../src/testing/index.ts';
import { createThing, readThing, signal } from './things.ts';

const options = { name: 'thing service', baseUrl: 'https://things.example', random: () => 0 };
const read = { params: { id: 'a' } };
// A circuit would hide what the budget does.
const policy = { breaker: { failures: 1_000_000 } };

describe('retry budget', () => {
  it('keeps an upstream that fails every call at 1.2 requests per call and 3', async () => {
    const calls = 200;
    const clock = createTestClock();
    const upstream = createScriptedUpstream(reply(503));
    await using api = createClient({ ...options, policy, clock, dispatcher: upstream.dispatcher });

    for (let i = 0; i < calls; i++) {
      await clock.settle(api.call(readThing, read, { signal }));
    }

    expect(upstream.requests.length).toBeGreaterThan(calls);
    expect(upstream.requests.length).toBeLessThanOrEqual(1.2 * calls + 3);
  });

  it('keeps an upstream that begins to fail at 1.2 requests per call and 3, after many healthy calls', async () => {
    const calls = 20;
    let isHealthy = true;
    const clock = createTestClock();
    const upstream = createScriptedUpstream(() => (isHealthy ? reply(200, { id: 'a' }) : reply(503)));
    await using api = createClient({ ...options, policy, clock, dispatcher: upstream.dispatcher });
    for (let i = 0; i < 200; i++) {
      await clock.settle(api.call(readThing, read, { signal }));
    }
    isHealthy = false;
    const before = upstream.requests.length;

    for (let i = 0; i < calls; i++) {
      await clock.settle(api.call(readThing, read, { signal }));
    }

    const requests = upstream.requests.length - before;
    expect(requests).toBeGreaterThan(calls);
    expect(requests).toBeLessThanOrEqual(1.2 * calls + 3);
  });

  it('is one for all endpoints of a client, and says when it denies', async () => {
    const events: ClientEvent[] = [];
    const clock = createTestClock();
    const upstream = createScriptedUpstream(refuse());
    await using api = createClient({
      ...options,
      clock,
      dispatcher: upstream.dispatcher,
      on: (event) => events.push(event),
    });

    await clock.settle(api.call(readThing, read, { signal }));
    const result = await clock.settle(api.call(createThing, { body: { id: 'a' } }, { signal }));

    expect(upstream.requests).toHaveLength(5);
    expect(result).toMatchObject({ ok: false, error: { code: 'network', attempts: 2 } });
    expect(events.filter(({ type }) => type === 'retry_denied')).toEqual([
      { client: options.name, endpoint: createThing.id, type: 'retry_denied', by: 'budget', code: 'network' },
    ]);
  });

  it.each([
    ['deadline', { 'retry-after': '3600' }],
    ['circuit', {}],
  ])('is not what is blamed when the %s stands against a repeat', async (by, headers) => {
    const denied: string[] = [];
    const upstream = createScriptedUpstream(() => {
      if (by === 'circuit') {
        api.isolate(readThing);
      }
      return reply(503, {}, headers);
    });
    await using api: Client = createClient({
      ...options,
      dispatcher: upstream.dispatcher,
      on: (event) => event.type === 'retry_denied' && denied.push(event.by),
    });

    await api.call(readThing, read, { signal });

    expect(denied).toEqual([by]);
    expect(upstream.requests).toHaveLength(1);
  });

  it('earns nothing from calls that the circuit shed', async () => {
    const clock = createTestClock();
    const upstream = createScriptedUpstream(reply(503));
    await using api = createClient({
      ...options,
      clock,
      dispatcher: upstream.dispatcher,
      policy: { breaker: { failures: 1 } },
      retryBudget: { ratio: 0.5, minRetries: 0 },
    });
    const patient = defineEndpoint({ ...readThing, id: 'things.patient', policy });

    for (let i = 0; i < 20; i++) {
      await clock.settle(api.call(readThing, read, { signal }));
    }
    const result = await clock.settle(api.call(patient, read, { signal }));

    // Two calls reached the wire, so one retry is what they earned.
    expect(result).toMatchObject({ ok: false, error: { code: 'server_error', attempts: 2 } });
    expect(upstream.requests).toHaveLength(3);
  });

  it('does not count the replay after a 401, which loads nobody', async () => {
    const upstream = createScriptedUpstream(reply(401), reply(200, { id: 'a' }));
    await using api = createClient({
      ...options,
      dispatcher: upstream.dispatcher,
      retryBudget: { ratio: 0, minRetries: 0 },
      token: { get: () => Promise.resolve({ value: `t${upstream.requests.length}` }), invalidate() {} },
    });

    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true, attempts: 2 });
  });

  it.each([
    ['retryBudget.ratio', { ratio: 1.1 }],
    ['retryBudget.windowMs', { windowMs: 0 }],
    ['retryBudget.minRetries', { minRetries: -1 }],
  ])('names %s when it is out of range', (name, retryBudget) => {
    expect(() => createClient({ ...options, retryBudget })).toThrow(new RegExp(`^${name} must be`));
  });
});

describe('the gate after a 429', () => {
  it('holds later calls back until the time that was asked for', async () => {
    const clock = createTestClock();
    const upstream = createScriptedUpstream(reply(429, {}, { 'retry-after': '7' }), reply(200, { id: 'a' }));
    await using api = createClient({
      ...options,
      clock,
      dispatcher: upstream.dispatcher,
      policy: { retry: { maxRetries: 0 } },
    });
    await clock.settle(api.call(readThing, read, { signal }));
    const startedAt = clock.monotonicNow();

    const result = await clock.settle(api.call(readThing, read, { signal }));

    expect(result).toMatchObject({ ok: true, attempts: 1 });
    expect(clock.monotonicNow() - startedAt).toBe(7_000);
  });

  it('sends nothing while the time is longer than a call would wait, and says how long', async () => {
    const clock = createTestClock();
    const upstream = createScriptedUpstream(reply(429, {}, { 'retry-after': '60' }), reply(200, { id: 'a' }));
    await using api = createClient({ ...options, clock, dispatcher: upstream.dispatcher });
    await clock.settle(api.call(readThing, read, { signal }));
    clock.advance(10_000);

    const result = await clock.settle(api.call(readThing, read, { signal }));

    expect(upstream.requests).toHaveLength(1);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'throttled', sent: 'no', attempts: 0, retryAfterMs: 50_000, isRetryable: true },
    });
  });

  it('opens again after the time of an open circuit, whatever was asked for', async () => {
    const clock = createTestClock();
    const upstream = createScriptedUpstream(
      reply(429, {}, { 'retry-after': '31536000' }),
      reply(200, { id: 'a' }),
    );
    await using api = createClient({ ...options, clock, dispatcher: upstream.dispatcher });
    await clock.settle(api.call(readThing, read, { signal }));
    clock.advance(60_000);

    expect(await clock.settle(api.call(readThing, read, { signal }))).toMatchObject({ ok: true });
  });

  it('leaves other endpoints alone', async () => {
    const clock = createTestClock();
    const upstream = createScriptedUpstream(reply(429, {}, { 'retry-after': '60' }), reply(201, { id: 'a' }));
    await using api = createClient({ ...options, clock, dispatcher: upstream.dispatcher });
    await clock.settle(api.call(readThing, read, { signal }));

    expect(await clock.settle(api.call(createThing, { body: { id: 'a' } }, { signal }))).toMatchObject({
      ok: true,
    });
  });
});
