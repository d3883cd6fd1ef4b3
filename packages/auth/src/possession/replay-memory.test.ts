import { describe, expect, it } from 'vitest';

import { createReplayMemory } from './replay-memory.ts';

describe('createReplayMemory', () => {
  it('lets each id pass once until its time is over', () => {
    const clock = { now: 0 };
    const memory = createReplayMemory({ maxEntries: 10, now: () => clock.now });
    expect([memory.claim('a', 100), memory.claim('a', 100), memory.claim('b', 100)]).toEqual([
      true,
      false,
      true,
    ]);
    clock.now = 100;
    expect(memory.claim('a', 200)).toBe(true);
  });

  it('makes room of what is over, and never of what still counts', () => {
    const clock = { now: 0 };
    const memory = createReplayMemory({ maxEntries: 2, now: () => clock.now });
    void memory.claim('a', 100);
    void memory.claim('b', 200);
    expect(() => memory.claim('c', 200)).toThrow('more than 2 proofs');
    expect(memory.claim('a', 100)).toBe(false);
    clock.now = 100;
    expect(memory.claim('c', 200)).toBe(true);
    expect(memory.claim('b', 200)).toBe(false);
  });
});
