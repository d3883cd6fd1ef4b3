import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRollingCount } from './rolling-count.ts';

const windowMs = 10_000;

describe('rolling count', () => {
  it('counts everything of the last nine tenths of its window and nothing older than all of it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 100 }), (gaps) => {
        const count = createRollingCount(windowMs);
        const times: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          times.push(now);
          count.add(now);
          const total = count.total(now);
          expect(total).toBeGreaterThanOrEqual(times.filter((time) => time > now - 0.9 * windowMs).length);
          expect(total).toBeLessThanOrEqual(times.filter((time) => time > now - windowMs).length);
        }
      }),
    );
  });
});
