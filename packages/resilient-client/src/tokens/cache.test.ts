import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createTestClock } from '../testing/index.ts';
import { createTokenCache } from './cache.ts';

describe('token cache', () => {
  it('never gives out a token in its last moments, and asks for a new one only when it is due', async () => {
    const { signal } = new AbortController();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 86_400_000 }),
        fc.integer({ min: 1, max: 600_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 100_000_000 }), { maxLength: 8 }),
        async (lifeMs, skewMs, random, steps) => {
          const clock = createTestClock();
          const cache = createTokenCache({ clock, random: () => random, skewMs, onFetched: () => {} });
          const bornAt: number[] = [];
          const fetch = async () => {
            bornAt.push(clock.monotonicNow());
            return { value: String(bornAt.length - 1), lifeMs };
          };
          for (const step of [0, ...steps]) {
            clock.advance(step);
            const { value } = await cache.get(fetch, { signal });
            const age = clock.monotonicNow() - (bornAt[Number(value)] ?? NaN);
            expect(age).toBeLessThanOrEqual(lifeMs - Math.min(skewMs, lifeMs / 2));
          }
          const livesMs = bornAt.slice(1).map((at, index) => at - (bornAt[index] ?? NaN));
          expect(Math.min(...livesMs, lifeMs)).toBeGreaterThanOrEqual(0.4 * lifeMs);
        },
      ),
    );
  });
});
