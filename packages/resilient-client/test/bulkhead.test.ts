import { describe, expect, it } from 'vitest';

import { createClient, type ClientOptions } from '../src/index.ts';
import {
  createTestClock,
  hang,
  malformed,
  refuse,
  reply,
  reset,
  createScriptedUpstream,
  type Step,
} from '../src/testing/index.ts';
import { createThing, readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const read = { params: { id: 'a' } };
const options = { name: 'thing service', baseUrl: 'https://things.example', random: () => 0 };

/** A client with one place and one seat in the queue, whose first call hangs. */
function setUp(more: Partial<ClientOptions> = {}) {
  const clock = createTestClock();
  const upstream = createScriptedUpstream(hang(), reply(200, { id: 'a' }));
  const api = createClient({
    ...options,
    clock,
    dispatcher: upstream.dispatcher,
    bulkhead: { concurrency: 1, queue: 1 },
    ...more,
  });
  const holder = new AbortController();
  const held = api.call(readThing, read, { signal: holder.signal });
  return { clock, upstream, api, holder, held };
}

describe('concurrency limit', () => {
  it('fails at once, as overloaded and unsent, when place and queue are taken', async () => {
    const { api, upstream, holder, held } = setUp();
    const queued = api.call(readThing, read, { signal });

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'overloaded', sent: 'no', attempts: 0, isRetryable: true },
    });
    expect(!result.ok && result.error.publicMessage).toMatch(
      /^Too many calls to the thing service are waiting/,
    );
    expect(upstream.requests).toHaveLength(1);
    holder.abort();
    expect(await held).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(await queued).toMatchObject({ ok: true });
    await api.close();
  });

  it('lets a cancelled call leave the queue without a request', async () => {
    const { api, upstream, holder, held } = setUp();
    const caller = new AbortController();
    const queued = api.call(createThing, { body: { id: 'a' } }, { signal: caller.signal });

    caller.abort();

    expect(await queued).toMatchObject({ ok: false, error: { code: 'cancelled', sent: 'no', attempts: 0 } });
    holder.abort();
    await held;
    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
    expect(upstream.requests).toHaveLength(2);
    await api.close();
  });

  it('waits no longer than the deadline, and the circuit hears nothing of it', async () => {
    const { api, clock, upstream } = setUp({ policy: { attemptTimeoutMs: 60_000, deadlineMs: 60_000 } });
    const queued = api.call(createThing, { body: { id: 'a' } }, { signal, deadlineAt: clock.now() + 2_000 });

    expect(await clock.settle(queued)).toMatchObject({
      ok: false,
      error: { code: 'deadline_exceeded', sent: 'no', attempts: 0 },
    });
    expect(upstream.requests).toHaveLength(1);
    expect(api.health()[createThing.id]).toEqual({ state: 'closed', consecutiveFailures: 0 });
    await api.close();
  });

  it('does not hold a place through the wait between attempts', async () => {
    const upstream = createScriptedUpstream(reply(503), reply(200, { id: 'b' }), reply(200, { id: 'a' }));
    const clock = createTestClock();
    const retrying = Promise.withResolvers<void>();
    await using api = createClient({
      ...options,
      clock,
      random: () => 0.5,
      dispatcher: upstream.dispatcher,
      bulkhead: { concurrency: 1, queue: 0 },
      on: ({ type }) => type === 'retry' && retrying.resolve(),
    });
    const first = api.call(readThing, read, { signal });
    await retrying.promise;

    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true, data: { id: 'b' } });
    expect(await clock.settle(first)).toMatchObject({ ok: true, data: { id: 'a' } });
  });

  it('gives its place back however an attempt ends', async () => {
    const clock = createTestClock();
    const endings = [reset(), reply(500), hang(), refuse(), malformed(), reply(429), reply(200, { id: 'a' })];
    const upstream = createScriptedUpstream(...(endings as [Step, ...Step[]]));
    await using api = createClient({
      ...options,
      clock,
      dispatcher: upstream.dispatcher,
      bulkhead: { concurrency: 1, queue: 0 },
    });

    const codes: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const result = await clock.settle(api.call(readThing, read, { signal }));
      codes.push(result.ok ? 'ok' : result.error.code);
    }

    // The first call took three of the endings, the second two, the third two.
    expect(codes).toEqual(['timeout', 'invalid_response', 'ok', 'ok']);
  });

  it('never has more requests on the wire than places, and serves everyone in the queue', async () => {
    let now = 0;
    let most = 0;
    await using upstream = await startUpstream((_, response) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now -= 1;
        json(response, 200, { id: 'a' });
      });
    });
    await using api = createClient({
      ...options,
      baseUrl: upstream.url,
      bulkhead: { concurrency: 4, queue: 96 },
    });

    const results = await Promise.all(
      Array.from({ length: 100 }, () => api.call(readThing, read, { signal })),
    );

    expect(results.every((result) => result.ok)).toBe(true);
    expect(most).toBeLessThanOrEqual(4);
  });

  it.each([
    ['bulkhead.concurrency', { concurrency: 0 }],
    ['bulkhead.queue', { queue: -1 }],
  ])('names %s when it is out of range', (name, bulkhead) => {
    expect(() => createClient({ ...options, bulkhead })).toThrow(new RegExp(`^${name} must be`));
  });
});
