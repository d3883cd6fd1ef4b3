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
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean())), (steps) => {
      const shares = createShares({ max: 4, maxPerKey: 2 });
      const held: { readonly key: string; readonly free: () => void }[] = [];
      for (const [key, isTake] of steps) {
        if (isTake) {
          const own = held.filter((place) => place.key === key).length;
          const place = shares.take(key);
          expect(place).toEqual(own >= 2 ? 'share' : held.length >= 4 ? 'full' : expect.any(Function));
          if (typeof place === 'function') {
            held.push({ key, free: place });
          }
        } else {
          held.shift()?.free();
        }
        expect(shares.taken()).toBe(held.length);
      }
    }),
  );
});
