import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, defineEndpoint, type ClientEvent, type ClientOptions } from '../src/index.ts';
import { createTestClock, hang, reply, createScriptedUpstream, type Step } from '../src/testing/index.ts';
import { signal } from './things.ts';
import { startUpstream, json } from './upstream.ts';

const response = z.object({ id: z.string() });
const hedged = defineEndpoint({
  id: 'things.hedged',
  method: 'GET',
  path: '/things',
  response,
  policy: { hedge: { afterMs: 200 } },
});
const typical = defineEndpoint({
  id: 'things.typical',
  method: 'GET',
  path: '/things',
  response,
  policy: { hedge: { afterPercentile: 95 } },
});

function setUp(steps: readonly [Step, ...Step[]], options: Partial<ClientOptions> = {}) {
  const clock = createTestClock();
  const upstream = createScriptedUpstream(...steps);
  const events: ClientEvent[] = [];
  const api = createClient({
    name: 'thing service',
    baseUrl: 'https://things.example',
    random: () => 0,
    clock,
    dispatcher: upstream.dispatcher,
    on: (event) => events.push(event),
    ...options,
  });
  const count = (type: ClientEvent['type']) => events.filter((event) => event.type === type).length;
  return { clock, upstream, api, count };
}

describe('hedged reads', () => {
  it('send a slow GET again after the delay, and take the response that comes first', async () => {
    const { clock, upstream, api, count } = setUp([hang(), reply(200, { id: 'b' })]);
    const startedAt = clock.monotonicNow();

    const result = await clock.settle(api.call(hedged, {}, { signal }));

    expect(result).toMatchObject({ ok: true, data: { id: 'b' }, attempts: 2 });
    expect(clock.monotonicNow() - startedAt).toBe(200);
    expect(upstream.requests).toHaveLength(2);
    expect(count('hedge')).toBe(1);
    expect(api.health()[hedged.id]).toEqual({ state: 'closed', consecutiveFailures: 0 });
    expect(clock.pending()).toEqual([]);
    await api.close();
  });

  it('close the socket of the loser', async () => {
    const closed = Promise.withResolvers<void>();
    await using upstream = await startUpstream((_, response, count) => {
      if (count === 1) {
        response.on('close', closed.resolve);
      } else {
        json(response, 200, { id: 'b' });
      }
    });
    const quick = defineEndpoint({ ...hedged, id: 'things.quick', policy: { hedge: { afterMs: 1 } } });
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url });

    expect(await api.call(quick, {}, { signal })).toMatchObject({ ok: true, data: { id: 'b' } });
    await closed.promise;
  });

  it('send nothing twice when the response comes in time', async () => {
    const { clock, upstream, api, count } = setUp([reply(200, { id: 'a' })]);

    await clock.settle(api.call(hedged, {}, { signal }));

    expect(upstream.requests).toHaveLength(1);
    expect(count('hedge')).toBe(0);
    expect(clock.pending()).toEqual([]);
    await api.close();
  });

  it('wait for the first when the second fails', async () => {
    const arrived = Promise.withResolvers<() => void>();
    await using upstream = await startUpstream((_, response, count) => {
      if (count === 1) {
        arrived.resolve(() => json(response, 200, { id: 'a' }));
      } else {
        json(response, 500, {});
      }
    });
    const quick = defineEndpoint({ ...hedged, id: 'things.quick', policy: { hedge: { afterMs: 1 } } });
    const failed = Promise.withResolvers<void>();
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      on: (event) => event.type === 'attempt' && event.status === 500 && failed.resolve(),
    });

    const pending = api.call(quick, {}, { signal });
    const answer = await arrived.promise;
    await failed.promise;
    answer();

    expect(await pending).toMatchObject({ ok: true, data: { id: 'a' }, attempts: 2 });
  });

  it('stay within the retry budget', async () => {
    const { clock, upstream, api, count } = setUp([hang()], {
      retryBudget: { ratio: 0, minRetries: 1 },
      policy: { retry: { maxRetries: 0 }, breaker: { failures: 100 }, attemptTimeoutMs: 1_000 },
    });

    for (let i = 0; i < 5; i++) {
      await clock.settle(api.call(hedged, {}, { signal }));
    }

    expect(upstream.requests).toHaveLength(6);
    expect(count('hedge')).toBe(1);
    await api.close();
  });

  it('take no place that another call could need', async () => {
    const { clock, upstream, api } = setUp([hang()], {
      bulkhead: { concurrency: 1, queue: 8 },
      policy: { retry: { maxRetries: 0 } },
    });

    await clock.settle(api.call(hedged, {}, { signal }));

    expect(upstream.requests).toHaveLength(1);
    await api.close();
  });

  it('are for GET alone', async () => {
    const write = defineEndpoint({ id: 'things.write', method: 'PUT', path: '/things', response });
    const { clock, upstream, api } = setUp([hang()], {
      policy: { hedge: { afterMs: 200 }, retry: { maxRetries: 0 } },
    });

    await clock.settle(api.call(write, {}, { signal }));

    expect(upstream.requests).toHaveLength(1);
    await api.close();
  });

  it('learn from 20 answers what is slow for an endpoint', async () => {
    const { clock, upstream, api, count } = setUp([
      () => {
        clock.advance(30);
        return reply(200, { id: 'a' });
      },
    ]);
    for (let i = 0; i < 20; i++) {
      await clock.settle(api.call(typical, {}, { signal }));
    }
    expect(count('hedge')).toBe(0);

    upstream.script(hang(), reply(200, { id: 'b' }));
    const startedAt = clock.monotonicNow();
    const result = await clock.settle(api.call(typical, {}, { signal }));

    expect(result).toMatchObject({ ok: true, data: { id: 'b' }, attempts: 2 });
    expect(clock.monotonicNow() - startedAt).toBe(30);
    await api.close();
  });
});
