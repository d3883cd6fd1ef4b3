import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { createRecentKeys } from './recent-keys.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('knows a key for as long as the window', () => {
  const keys = createRecentKeys(1_000, 10);

  expect([keys.isNew('a'), keys.isNew('a'), keys.isNew('b')]).toEqual([true, false, true]);
  vi.setSystemTime(Date.now() + 999);
  expect(keys.isNew('a')).toBe(false);
  vi.setSystemTime(Date.now() + 1);
  expect(keys.isNew('a')).toBe(true);
});

it('forgets the oldest of too many keys, and none of fewer', () => {
  const keys = createRecentKeys(1_000, 3);
  for (const key of ['a', 'b', 'c', 'd']) {
    keys.isNew(key);
  }

  expect(['d', 'c', 'b'].map((key) => keys.isNew(key))).toEqual([false, false, false]);
  expect(keys.isNew('a')).toBe(true);
});

it('does not hold a key for longer when the clock is set back', () => {
  const keys = createRecentKeys(1_000, 10);
  keys.isNew('a');
  vi.setSystemTime(Date.now() - 3_600_000);

  expect(keys.isNew('a')).toBe(true);
});
