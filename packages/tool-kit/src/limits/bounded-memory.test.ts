import { array, assert, boolean, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createBoundedMemory } from './bounded-memory.ts';

const bounds = { maxValues: 5, maxValuesPerOwner: 3, maxBytes: 100, maxBytesPerOwner: 60 };

describe('a bounded memory', () => {
  it('gives one owner a share, and others what is left', () => {
    const memory = createBoundedMemory<string>(bounds);
    const put = (owner: string, key: string, bytes = 0) =>
      memory.put(key, key, { ttlMs: 1_000, owner, bytes });
    expect(['a', 'b', 'c', 'd'].map((key) => put('ada', key))).toEqual([true, true, true, false]);
    expect(put('bob', 'e', 61)).toBe(false);
    expect(put('bob', 'e', 60)).toBe(true);
    expect(put('eve', 'f', 41)).toBe(false);
    expect(put('eve', 'f', 40)).toBe(true);
    expect(put('eve', 'g')).toBe(false);
  });

  it('has room again for what ends, and changes nothing where it has none', () => {
    let now = 0;
    const memory = createBoundedMemory<number>(bounds, () => now);
    for (const key of ['a', 'b', 'c']) {
      memory.put(key, 1, { ttlMs: 1_000, owner: 'ada', bytes: 20 });
    }
    expect(memory.put('a', 2, { ttlMs: 1_000, owner: 'ada', bytes: 21 })).toBe(false);
    expect(memory.get('a')).toBe(1);
    now = 1_000;
    expect(memory.get('a')).toBeUndefined();
    expect(memory.put('d', 3, { ttlMs: 1_000, owner: 'ada', bytes: 60 })).toBe(true);
  });

  it('counts right, whatever comes, goes and ends', () => {
    const step = record({
      key: constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      owner: constantFrom('ada', 'bob', undefined),
      bytes: nat(60),
      ttlMs: integer({ min: 1, max: 3_000 }),
      passesMs: nat(2_000),
      isGone: boolean(),
    });
    assert(
      property(array(step, { maxLength: 40 }), (steps) => {
        let now = 0;
        const memory = createBoundedMemory<{ owner: string | undefined; bytes: number }>(bounds, () => now);
        for (const { key, owner, bytes, ttlMs, passesMs, isGone } of steps) {
          now += passesMs;
          if (isGone) {
            memory.delete(key);
          } else {
            memory.put(key, { owner, bytes }, { ttlMs, owner, bytes });
          }
          const alive = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((one) => memory.get(one) ?? []);
          const sum = (list: typeof alive) => list.reduce((total, one) => total + one.bytes, 0);
          const ofOwner = alive.filter((one) => one.owner === owner);
          expect(alive.length).toBeLessThanOrEqual(5);
          expect(ofOwner.length).toBeLessThanOrEqual(3);
          expect(sum(alive)).toBeLessThanOrEqual(100);
          expect(sum(ofOwner)).toBeLessThanOrEqual(60);
        }
        now += 5_000;
        // All has ended: there is room for as much as there ever was.
        expect(memory.put('h', { owner: 'eve', bytes: 60 }, { ttlMs: 1, owner: 'eve', bytes: 60 })).toBe(
          true,
        );
        expect(memory.put('i', { owner: 'zoe', bytes: 40 }, { ttlMs: 1, owner: 'zoe', bytes: 40 })).toBe(
          true,
        );
      }),
    );
  });
});
