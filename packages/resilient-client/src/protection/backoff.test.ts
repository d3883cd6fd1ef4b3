import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { backoffDelayMs } from './backoff.ts';

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffDelayMs', () => {
  it('stays between 0 and the doubling bound, and never exceeds the cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(1e6),
        unit,
        (n, base, extra, r) => {
          const maxDelayMs = base + extra;
          const delay = backoffDelayMs(n, { baseDelayMs: base, maxDelayMs }, () => r);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(maxDelayMs, base * 2 ** (n - 1)));
        },
      ),
    );
  });

  it('spreads over the whole range', () => {
    const policy = { baseDelayMs: 200, maxDelayMs: 5_000 };
    expect(backoffDelayMs(3, policy, () => 0)).toBe(0);
    expect(backoffDelayMs(3, policy, () => 0.5)).toBe(400);
    expect(backoffDelayMs(10, policy, () => 0.5)).toBe(2_500);
  });
});
