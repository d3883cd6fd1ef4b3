import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRetryBudget, resolveRetryBudgetOptions, type RetryBudget } from './retry-budget.ts';

const windowMs = 10_000;

describe('retry budget', () => {
  it('grants in any stretch of time its share of the calls in it, and one reserve', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 4_000 }),
      active: fc.option(fc.integer({ min: 1, max: 100 })),
    });
    const ratios = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(ratios, fc.nat(5), fc.array(step, { maxLength: 100 }), (ratio, minRetries, steps) => {
        const budget = createRetryBudget({ ratio, windowMs, minRetries });
        // For each stretch that begins at a step: what it was granted beyond what it earned.
        const excesses: number[] = [];
        let now = 0;
        let reserve = Math.max(1, minRetries);
        for (const { afterMs, active } of steps) {
          excesses.push(0);
          let change = -(afterMs / windowMs) * minRetries;
          now += afterMs;
          if (active !== null) {
            reserve = Math.max(reserve, ratio * active);
            budget.onCall(active);
            change -= ratio;
          } else if (budget.take(now)) {
            change += 1;
          }
          excesses.forEach((excess, i) => (excesses[i] = excess + change));
          expect(Math.max(...excesses)).toBeLessThanOrEqual(reserve + 1e-6);
        }
      }),
    );
  });

  it('saves nothing that healthy calls did not need for the calls that fail', () => {
    const budget = createRetryBudget(resolveRetryBudgetOptions());
    for (let i = 0; i < 1_000; i++) {
      budget.onCall(16);
    }
    expect(grantsOf(budget)).toBe(3);
  });

  it('earns its minimum again while the window passes', () => {
    const budget = createRetryBudget(resolveRetryBudgetOptions());
    expect([1, 2, 3, 4].map(() => budget.take(0))).toEqual([true, true, true, false]);
    expect(budget.take(3_333)).toBe(false);
    expect(budget.take(3_334)).toBe(true);
    expect([1, 2, 3, 4].map(() => budget.take(60_000))).toEqual([true, true, true, false]);
  });

  it('grants 20 of 100 calls at once, and 1 after 5 calls later on', () => {
    const budget = createRetryBudget(resolveRetryBudgetOptions());
    for (let i = 1; i <= 100; i++) {
      budget.onCall(i);
    }
    expect(grantsOf(budget)).toBe(20);
    for (let i = 0; i < 5; i++) {
      expect(budget.take(0)).toBe(false);
      budget.onCall(1);
    }
    expect(grantsOf(budget)).toBe(1);
  });
});

function grantsOf(budget: RetryBudget): number {
  let granted = 0;
  while (budget.take(0)) {
    granted += 1;
  }
  return granted;
}
