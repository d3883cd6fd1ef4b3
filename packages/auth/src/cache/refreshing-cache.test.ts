import { array, assert, asyncProperty, constant, integer, oneof, record } from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { createRefreshingCache } from './refreshing-cache.ts';

const { signal } = new AbortController();
const TTL_MS = 300_000;
const MAX_STALE_MS = 900_000;

function cacheWith(options: { ttlMs?: number; maxEntries?: number; random?: () => number } = {}) {
  const clock = { now: 0 };
  const load = vi.fn<(signal: AbortSignal) => Promise<string>>(async () => `value at ${clock.now}`);
  const cache = createRefreshingCache<string>({
    ttlMs: () => options.ttlMs ?? TTL_MS,
    maxStaleMs: MAX_STALE_MS,
    maxEntries: options.maxEntries ?? 10,
    loadTimeoutMs: 60_000,
    now: () => clock.now,
    random: options.random ?? (() => 1),
  });
  const get = async (key = 'a', maxAgeMs?: number) =>
    (await cache.get(key, load, { signal, maxAgeMs })).value;
  return { cache, clock, load, get };
}

describe('createRefreshingCache', () => {
  it('asks once for a thousand who wait', async () => {
    const { get, load } = cacheWith();
    await Promise.all(Array.from({ length: 1_000 }, () => get()));
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('asks again in the background from four fifths of the time on, once, and serves what it has', async () => {
    const { get, load, clock } = cacheWith();
    await get();
    clock.now = 0.8 * TTL_MS - 1;
    await get();
    expect(load).toHaveBeenCalledTimes(1);
    const answer = Promise.withResolvers<string>();
    load.mockReturnValueOnce(answer.promise);
    clock.now += 1;
    expect(await Promise.all([get(), get(), get()])).toEqual(Array(3).fill('value at 0'));
    expect(load).toHaveBeenCalledTimes(2);
    answer.resolve('new');
    await expect.poll(() => get()).toBe('new');
  });

  it('waits for a new answer once the time is over', async () => {
    const { get, clock } = cacheWith();
    await get();
    clock.now = TTL_MS;
    expect(await get()).toBe(`value at ${TTL_MS}`);
  });

  it('serves an old answer through an outage, then none', async () => {
    const { get, load, clock } = cacheWith();
    await get();
    load.mockRejectedValue(new Error('down'));
    clock.now = MAX_STALE_MS;
    expect(await get()).toBe('value at 0');
    clock.now += 1;
    await expect(get()).rejects.toThrow('down');
  });

  it('does not bridge an outage for one who needs a fresh answer', async () => {
    const { get, load, clock } = cacheWith();
    await get();
    load.mockRejectedValue(new Error('down'));
    clock.now = 30_000;
    expect(await get('a', 30_000)).toBe('value at 0');
    clock.now += 1;
    await expect(get('a', 30_000)).rejects.toThrow('down');
    expect(await get()).toBe('value at 0');
  });

  it('counts the age of an answer from the question', async () => {
    const { get, load, clock } = cacheWith();
    load.mockImplementationOnce(async () => {
      clock.now = 20_000;
      return 'slow';
    });
    expect(await get()).toBe('slow');
    clock.now = 30_001;
    expect(await get('a', 30_000)).toBe('value at 30001');
  });

  it('does not take a question asked too early for a fresh one', async () => {
    const { get, load, clock } = cacheWith();
    const early = Promise.withResolvers<string>();
    load.mockReturnValueOnce(early.promise);
    const first = get();
    clock.now = 1;
    expect(await get('a', 0)).toBe('value at 1');
    early.resolve('early');
    expect(await first).toBe('early');
    // The later question has the later answer, whichever comes last.
    expect(await get()).toBe('value at 1');
  });

  it('spaces attempts after failures: 1, 2, 4 … 30 seconds', async () => {
    const { get, cache, load, clock } = cacheWith();
    load.mockRejectedValue(new Error('down'));
    let asked = 0;
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      await expect(get()).rejects.toThrow('down');
      expect(load).toHaveBeenCalledTimes((asked += 1));
      expect(cache.retryAfterMs('a')).toBe(pauseMs);
      clock.now += pauseMs - 1;
      await expect(get()).rejects.toThrow('down');
      expect(load).toHaveBeenCalledTimes(asked);
      clock.now += 1;
    }
    load.mockResolvedValue('up');
    expect(await get()).toBe('up');
    expect(cache.retryAfterMs('a')).toBe(0);
  });

  it('spreads the attempts of many keys over half of the pause', async () => {
    const pauses = await Promise.all(
      [0, 0.5, 1].map(async (random) => {
        const { get, cache, load } = cacheWith({ random: () => random });
        load.mockRejectedValue(new Error('down'));
        await get().catch(() => undefined);
        return cache.retryAfterMs('a');
      }),
    );
    expect(pauses).toEqual([500, 750, 1_000]);
  });

  describe('when the clock is set back by an hour', () => {
    const HOUR_MS = 3_600_000;
    const clockAtNoon = (options = {}) => {
      const made = cacheWith(options);
      made.clock.now = HOUR_MS;
      return made;
    };

    it('asks again, and keeps the new answer', async () => {
      const { get, load, clock } = clockAtNoon();
      await get();
      clock.now = 0;
      expect(await get()).toBe('value at 0');
      clock.now = 1_000;
      expect(await get()).toBe('value at 0');
      expect(load).toHaveBeenCalledTimes(2);
    });

    it('does not take an answer from before for a fresh one', async () => {
      const { get, load, clock } = clockAtNoon();
      await get();
      clock.now = 0;
      load.mockRejectedValue(new Error('down'));
      await expect(get('a', 30_000)).rejects.toThrow('down');
      await expect(get()).rejects.toThrow('down');
    });

    it('does not wait an hour after a failure', async () => {
      const { cache, get, load, clock } = clockAtNoon();
      load.mockRejectedValueOnce(new Error('down'));
      await expect(get()).rejects.toThrow('down');
      expect(cache.retryAfterMs('a')).toBe(1_000);
      clock.now = 0;
      expect(cache.retryAfterMs('a')).toBe(0);
      expect(await get()).toBe('value at 0');
    });
  });

  it('keeps one key apart from the failures of another', async () => {
    const { get, load } = cacheWith();
    load.mockRejectedValueOnce(new Error('down'));
    await expect(get('a')).rejects.toThrow('down');
    expect(await get('b')).toBe('value at 0');
  });

  it('lets the longest unused key go when it is full', async () => {
    const { get, load } = cacheWith({ maxEntries: 2 });
    for (const key of ['a', 'b', 'a', 'c', 'a']) {
      await get(key);
    }
    expect(load).toHaveBeenCalledTimes(3);
    await get('b');
    expect(load).toHaveBeenCalledTimes(4);
  });

  it('forgets on demand, the answer under way included', async () => {
    const { cache, get, load } = cacheWith();
    const answer = Promise.withResolvers<string>();
    load.mockReturnValueOnce(answer.promise);
    const before = get();
    cache.invalidate('a');
    answer.resolve('revoked');
    expect(await before).toBe('revoked');
    expect(await get()).toBe('value at 0');
    cache.clear();
    await get();
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('goes on for the others when one who waits leaves', async () => {
    const { cache, get, load } = cacheWith();
    const answer = Promise.withResolvers<string>();
    load.mockReturnValueOnce(answer.promise);
    const leaving = new AbortController();
    const first = cache.get('a', load, { signal: leaving.signal });
    const second = get();
    leaving.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    answer.resolve('value');
    expect(await second).toBe('value');
  });

  it('ends loads in flight when it closes', async () => {
    const { cache, get, load } = cacheWith();
    load.mockImplementationOnce(() => new Promise(() => undefined));
    const loading = get();
    cache.close();
    await expect(loading).rejects.toThrow('closed');
    expect(load.mock.calls[0]?.[0].aborted).toBe(true);
    await expect(get()).rejects.toThrow('closed');
  });

  it('never serves older than it may, whatever happens', async () => {
    const step = oneof(
      record({ kind: constant('wait' as const), ms: integer({ min: 0, max: 400_000 }) }),
      record({ kind: constant('outage' as const), isDown: oneof(constant(true), constant(false)) }),
      record({
        kind: constant('get' as const),
        maxAgeMs: oneof(constant(undefined), integer({ min: 0, max: 60_000 })),
      }),
    );
    await assert(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const { cache, clock } = cacheWith();
        let isDown = false;
        // The directory's answer is the time: the oldest truth that it can be taken for.
        const load = async (): Promise<string> => {
          if (isDown) {
            throw new Error('down');
          }
          return String(clock.now);
        };
        const keepsPromise = async (action: (typeof steps)[number]): Promise<boolean> => {
          if (action.kind === 'wait') {
            clock.now += action.ms;
          }
          if (action.kind === 'outage') {
            isDown = action.isDown;
          }
          if (action.kind !== 'get') {
            return true;
          }
          const { maxAgeMs } = action;
          const isOut = isDown || cache.retryAfterMs('a') > 0;
          const answer = await cache.get('a', load, { signal, maxAgeMs }).catch(() => undefined);
          const limitMs = isOut ? MAX_STALE_MS : TTL_MS;
          if (answer === undefined) {
            return isOut;
          }
          return clock.now - Number(answer.value) <= Math.min(limitMs, maxAgeMs ?? limitMs);
        };
        for (const action of steps) {
          expect(await keepsPromise(action)).toBe(true);
        }
      }),
    );
  });
});
