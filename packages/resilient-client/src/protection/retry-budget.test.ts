import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRetryBudget, resolveRetryBudgetOptions } from './retry-budget.ts';
import { createRollingCount } from './rolling-count.ts';

const windowMs = 10_000;

describe('retry budget', () => {
  it('grants at most its share of the calls within the window, whatever the order', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 4_000 }),
      isCall: fc.boolean(),
    });
    const ratios = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(ratios, fc.nat(5), fc.array(step, { maxLength: 200 }), (ratio, minRetries, steps) => {
        const budget = createRetryBudget({ ratio, windowMs, minRetries });
        const calls: number[] = [];
        const granted: number[] = [];
        let now = 0;
        let excess = 0;
        for (const { afterMs, isCall } of steps) {
          now += afterMs;
          const within = (times: number[], ms: number) => times.filter((time) => time > now - ms).length;
          if (isCall) {
            calls.push(now);
            budget.onCall(now);
          } else if (budget.take(now)) {
            granted.push(now);
          }
          // The oldest tenth of the window may be gone from the count already.
          const most = Math.max(minRetries, ratio * within(calls, windowMs));
          const isGrant = !isCall && granted.at(-1) === now;
          if (isGrant) {
            excess = Math.max(excess, within(granted, 0.9 * windowMs) - most);
          }
        }
        expect(excess).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('allows the minimum again once the window has passed', () => {
    const budget = createRetryBudget(resolveRetryBudgetOptions());
    expect([1, 2, 3, 4].map(() => budget.take(0))).toEqual([true, true, true, false]);
    expect(budget.take(9_999)).toBe(false);
    expect(budget.take(10_000)).toBe(true);
  });

  it('grants 20 of 100 calls', () => {
    const budget = createRetryBudget(resolveRetryBudgetOptions());
    for (let i = 0; i < 100; i++) {
      budget.onCall(0);
    }
    let granted = 0;
    while (budget.take(0)) {
      granted += 1;
    }
    expect(granted).toBe(20);
  });
});

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
