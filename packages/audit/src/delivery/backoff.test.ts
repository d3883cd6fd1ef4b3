import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AuditError } from '../errors.ts';
import { backoffMs } from './backoff.ts';

const failures = fc.integer({ min: 1, max: 1e6 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the wait after a failed delivery', () => {
  it('doubles its ceiling from half a second up to a minute', () => {
    const ceilings = [1, 2, 3, 7, 8, 100].map((count) => backoffMs(count, new Error('x'), 1));
    expect(ceilings).toEqual([500, 1000, 2000, 32_000, 60_000, 60_000]);
  });

  it('stays within zero and its ceiling', () => {
    fc.assert(
      fc.property(failures, random, (count, chance) => {
        const delayMs = backoffMs(count, undefined, chance);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(backoffMs(count, undefined, 1));
      }),
    );
  });

  it('is at least what the sink asked for, up to an hour', () => {
    fc.assert(
      fc.property(failures, random, fc.integer({ min: 0, max: 1e9 }), (count, chance, retryAfterMs) => {
        const delayMs = backoffMs(count, new AuditError('delivery_failed', 'no', { retryAfterMs }), chance);
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(retryAfterMs, 3_600_000));
        expect(delayMs).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });
});
