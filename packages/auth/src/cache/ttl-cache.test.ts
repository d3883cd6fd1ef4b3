import { describe, expect, it, vi } from 'vitest';

import { createTtlCache } from './ttl-cache.ts';

const { signal } = new AbortController();

function cacheAt(clock: { now: number }, maxEntries = 10) {
  return createTtlCache<string>({
    ttlMs: () => 100,
    isKnown: (value) => value.startsWith('known'),
    maxEntries,
    loadTimeoutMs: 60_000,
    now: () => clock.now,
  });
}

describe('createTtlCache', () => {
  it('asks once for all who wait, and once more when the value is stale', async () => {
    const clock = { now: 0 };
    const cache = cacheAt(clock);
    const load = vi.fn<() => Promise<string>>(async () => 'value');
    await Promise.all(Array.from({ length: 20 }, () => cache.get('a', signal, load)));
    clock.now = 99;
    await cache.get('a', signal, load);
    expect(load).toHaveBeenCalledTimes(1);
    clock.now = 100;
    await cache.get('a', signal, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('asks again when the clock was set back', async () => {
    const clock = { now: 1_000 };
    const cache = cacheAt(clock);
    const load = vi.fn<() => Promise<string>>(async () => `value at ${clock.now}`);
    await cache.get('a', signal, load);
    clock.now = 0;
    expect(await cache.get('a', signal, load)).toBe('value at 0');
    clock.now = 99;
    expect(await cache.get('a', signal, load)).toBe('value at 0');
  });

  it('does not keep a failure', async () => {
    const cache = cacheAt({ now: 0 });
    await expect(cache.get('a', signal, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await expect(cache.get('a', signal, async () => 'value')).resolves.toBe('value');
  });

  it('lets the longest unused entry go when it is full', async () => {
    const cache = cacheAt({ now: 0 }, 2);
    const load = vi.fn<() => Promise<string>>(async () => 'value');
    for (const key of ['a', 'b', 'a', 'c', 'a']) {
      await cache.get(key, signal, load);
    }
    expect(load).toHaveBeenCalledTimes(3);
    await cache.get('b', signal, load);
    expect(load).toHaveBeenCalledTimes(4);
  });

  it('lets no stranger displace anybody known, and says who was known', async () => {
    const clock = { now: 0 };
    const cache = cacheAt(clock, 2);
    const answered: [string, boolean][] = [];
    const ask = (key: string, value: string) =>
      cache.get(key, signal, async (_, wasKnown) => {
        answered.push([key, wasKnown]);
        return value;
      });
    await ask('ann', 'known');
    for (const key of ['x', 'y', 'z', 'ann']) {
      await ask(key, 'stranger');
    }
    clock.now = 100;
    await ask('ann', 'gone');
    clock.now = 200;
    await ask('ann', 'known again');
    expect(answered).toEqual([
      ['ann', false],
      ['x', false],
      ['y', false],
      ['z', false],
      ['ann', true],
      ['ann', false],
    ]);
  });

  it('goes on for the others when one waiter leaves', async () => {
    const cache = cacheAt({ now: 0 });
    const answer = Promise.withResolvers<string>();
    const leaving = new AbortController();
    const first = cache.get('a', leaving.signal, () => answer.promise);
    const second = cache.get('a', signal, () => answer.promise);
    leaving.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    answer.resolve('value');
    await expect(second).resolves.toBe('value');
  });

  it('ends loads in flight when it closes', async () => {
    const cache = cacheAt({ now: 0 });
    const lookups: AbortSignal[] = [];
    const loading = cache.get('a', signal, (lookup) => {
      lookups.push(lookup);
      return new Promise(() => undefined);
    });
    cache.close();
    await expect(loading).rejects.toThrow('closed');
    expect(lookups.map((lookup) => lookup.aborted)).toEqual([true]);
    await expect(cache.get('a', signal, async () => 'value')).rejects.toThrow('closed');
  });
});
