import { describe, expect, it } from 'vitest';

import { replayStoreContract, unavailableReplayStoreCase } from '../testing.ts';
import { createReplayMemory } from './replay-memory.ts';

describe('createReplayMemory', () => {
  it.each(replayStoreContract)('$name', async ({ run }) => {
    const clock = { now: 1_234 };
    const wait = async (milliseconds: number): Promise<void> => {
      clock.now += milliseconds;
    };
    await run({ store: createReplayMemory({ now: () => clock.now }), wait });
    expect.assertions(0);
  });

  it.each([unavailableReplayStoreCase])('$name', async ({ run }) => {
    const store = createReplayMemory({ maxEntries: 1, now: () => 0 });
    await store.claim('first', { ttlMs: 1, owner: 'jo' });
    await run({ store, wait: async () => undefined });
    expect.assertions(0);
  });

  it('makes room of what is over, and never of what still counts', () => {
    const clock = { now: 0 };
    const memory = createReplayMemory({ maxEntries: 2, maxEntriesPerOwner: 2, now: () => clock.now });
    const owner = 'jo';
    void memory.claim('a', { ttlMs: 100, owner });
    void memory.claim('b', { ttlMs: 200, owner });
    expect(() => memory.claim('c', { ttlMs: 200, owner })).toThrow('more than 2 proofs');
    expect(memory.claim('a', { ttlMs: 100, owner })).toBe(false);
    clock.now = 100;
    expect(memory.claim('c', { ttlMs: 100, owner })).toBe(true);
    expect(memory.claim('b', { ttlMs: 100, owner })).toBe(false);
  });

  it('is never full for one owner because of another', () => {
    const memory = createReplayMemory({ maxEntries: 100, now: () => 0 });
    const claimAll = (owner: string): number =>
      Array.from({ length: 50 }, (_, index) => {
        try {
          return memory.claim(`${owner}-${index}`, { ttlMs: 60_000, owner });
        } catch {
          return false;
        }
      }).filter(Boolean).length;
    expect(claimAll('flood')).toBe(10);
    expect(claimAll('jo')).toBe(10);
  });

  it('takes back the place of an id that was claimed again after its time', () => {
    const clock = { now: 0 };
    const memory = createReplayMemory({ maxEntries: 2, maxEntriesPerOwner: 2, now: () => clock.now });
    void memory.claim('a', { ttlMs: 10, owner: 'jo' });
    clock.now = 10;
    expect(memory.claim('a', { ttlMs: 100, owner: 'kim' })).toBe(true);
    expect(memory.claim('b', { ttlMs: 100, owner: 'kim' })).toBe(true);
    expect(memory.claim('a', { ttlMs: 100, owner: 'jo' })).toBe(false);
    expect(() => memory.claim('c', { ttlMs: 100, owner: 'jo' })).toThrow('more than 2 proofs');
  });

  it.each([{ maxEntries: 0 }, { maxEntries: 10, maxEntriesPerOwner: 11 }])('refuses %j', (options) => {
    expect(() => createReplayMemory(options)).toThrow(RangeError);
  });
});
