import { describe, expect, it } from 'vitest';

import { graceMsFor, maxReadinessDelayMs, planShutdown, type ShutdownPlan } from './shutdown-budget.ts';

const sumOf = ({ budgetMs: _budget, ...parts }: ShutdownPlan) =>
  Object.values(parts).reduce((sum, part) => sum + part, 0);

describe('planShutdown', () => {
  it('fits its defaults into the 30 s that Kubernetes gives, with 2 s to spare', () => {
    const plan = planShutdown();
    expect(plan).toEqual({
      budgetMs: 28_000,
      readinessDelayMs: 0,
      callsMs: 16_000,
      responsesMs: 3_000,
      tasksMs: 4_000,
      auditMs: 4_000,
      telemetryMs: 500,
      closingMs: 500,
    });
    expect(sumOf(plan)).toBe(plan.budgetMs);
  });

  it('takes the readiness delay from the calls, and gives them what a longer grace period adds', () => {
    expect(planShutdown({ readinessDelayMs: 5_000 })).toEqual({
      ...planShutdown(),
      readinessDelayMs: 5_000,
      callsMs: 11_000,
    });
    expect(planShutdown({ terminationGraceMs: 60_000 })).toEqual({
      ...planShutdown(),
      budgetMs: 58_000,
      callsMs: 46_000,
    });
  });

  it('refuses a readiness delay after which nothing could be drained, and says what to change', () => {
    expect(() => planShutdown({ readinessDelayMs: 45_000 })).toThrow(
      new RangeError(
        'readinessDelayMs must be a whole number from 0 to 13000 with a terminationGraceMs of 30000, got 45000: lower it, or raise terminationGraceMs to 62000',
      ),
    );
    expect(planShutdown({ readinessDelayMs: 45_000, terminationGraceMs: 62_000 }).callsMs).toBe(3_000);
  });

  it.each([Number.NaN, -1, 0.5, Infinity, 2 ** 31, 9_999])('refuses a grace period of %s', (value) => {
    expect(() => planShutdown({ terminationGraceMs: value })).toThrow(
      `terminationGraceMs must be a whole number from 10000 to 2147483647, got ${value}`,
    );
  });

  it('hands out what fits, each part large enough to be of use, or refuses by name', () => {
    const refused = { terminationGraceMs: 0, readinessDelayMs: 0 };
    let planned = 0;
    for (const [terminationGraceMs, readinessDelayMs] of pairs()) {
      let plan: ShutdownPlan;
      try {
        plan = planShutdown({ terminationGraceMs, readinessDelayMs });
      } catch (error) {
        const [, option] = /^RangeError: (\w+) must be a whole number from /u.exec(String(error)) ?? [];
        refused[option as keyof typeof refused] += 1;
        continue;
      }
      planned += 1;
      expect(plan.budgetMs).toBeLessThan(terminationGraceMs);
      expect(sumOf(plan)).toBe(plan.budgetMs);
      expect(plan.readinessDelayMs).toBe(readinessDelayMs);
      for (const [part, min] of Object.entries(minimum)) {
        const ms = plan[part as keyof typeof minimum];
        expect(Number.isSafeInteger(ms) && ms >= min, `${part} of ${JSON.stringify(plan)}`).toBe(true);
      }
      // What closes with the server does not depend on how it is served.
      const { readinessDelayMs: _delay, callsMs: _calls, ...rest } = planShutdown({ terminationGraceMs });
      expect(plan).toMatchObject(rest);
    }
    expect(planned).toBeGreaterThan(1_000);
    expect(refused.terminationGraceMs).toBeGreaterThan(100);
    expect(refused.readinessDelayMs).toBeGreaterThan(1_000);
  });

  it('accepts a readiness delay up to the maximum that it names, and a grace period that it proposes', () => {
    for (const terminationGraceMs of graces.filter(
      (ms) => Number.isInteger(ms) && ms >= 10_000 && ms < 2 ** 31,
    )) {
      const max = maxReadinessDelayMs(terminationGraceMs);
      expect(planShutdown({ terminationGraceMs, readinessDelayMs: max }).callsMs).toBe(3_000);
      const tooLong = { terminationGraceMs, readinessDelayMs: max + 1 };
      expect(() => planShutdown(tooLong)).toThrow(RangeError);
      // A delay that no timer can wait for fits nowhere.
      const proposedMs = Math.min(graceMsFor(max + 1), 2 ** 31 - 1);
      expect(maxReadinessDelayMs(proposedMs)).toBeGreaterThanOrEqual(Math.min(max + 1, 2 ** 30));
    }
  });
});

/** What each part has at least, whatever is accepted. */
const minimum = {
  readinessDelayMs: 0,
  callsMs: 3_000,
  responsesMs: 850,
  tasksMs: 1_100,
  auditMs: 1_100,
  telemetryMs: 140,
  closingMs: 140,
};

/** Each second and some in between, both ends, and what is no duration. */
const graces = [
  ...Array.from({ length: 700 }, (_, index) => index * 127),
  ...Array.from({ length: 90 }, (_, index) => index * 1_000),
  9_999,
  10_001,
  29_999,
  30_001,
  2 ** 31 - 1,
  2 ** 31,
  Number.NaN,
  -1,
  10_000.5,
  Infinity,
];

function* pairs() {
  const delays = [
    ...graces.filter((_, index) => index % 9 === 0),
    0,
    1,
    13_000,
    13_001,
    Number.NaN,
    -1,
    0.5,
    Infinity,
  ];
  for (const grace of graces) {
    for (const delay of delays) {
      yield [grace, delay] as const;
    }
  }
}
