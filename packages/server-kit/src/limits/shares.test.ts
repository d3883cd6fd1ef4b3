import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { createShares } from './shares.ts';

it('gives nobody more than a share, and all together no more than there are', () => {
  const shares = createShares({ max: 3, maxPerKey: 2 });
  const first = shares.take('ann');
  expect(shares.take('ann')).toBeTypeOf('function');
  expect(shares.take('ann')).toBe('share');
  expect(shares.take('bob')).toBeTypeOf('function');
  expect(shares.take('cy')).toBe('full');
  if (typeof first === 'function') {
    first();
    first();
  }
  expect(shares.taken()).toBe(2);
  expect(shares.take('cy')).toBeTypeOf('function');
});

it('counts right, whoever takes and gives back in which order', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()));
  const outcomes = (taken: readonly (readonly [string, boolean])[]) => {
    const shares = createShares({ max: 4, maxPerKey: 2 });
    const held: { readonly key: string; readonly free: () => void }[] = [];
    return taken.map(([key, isTake]) => {
      const own = held.filter((place) => place.key === key).length;
      const expected = own >= 2 ? 'share' : held.length >= 4 ? 'full' : 'taken';
      const place = isTake ? shares.take(key) : undefined;
      if (typeof place === 'function') {
        held.push({ key, free: place });
      } else if (!isTake) {
        held.shift()?.free();
      }
      const got = typeof place === 'function' ? 'taken' : (place ?? expected);
      return got === expected && shares.taken() === held.length;
    });
  };
  fc.assert(fc.property(steps, (taken) => outcomes(taken).every(Boolean)));
  expect(outcomes([['a', true]])).toEqual([true]);
});
