import { describe, expect, it } from 'vitest';

import { createFactClock, worstAges } from './fact-age.ts';

describe('createFactClock', () => {
  it('knows nothing of what nobody has looked up', () => {
    expect(createFactClock('keys', 1_000, () => 5).ages()).toEqual([]);
  });

  it('counts from the question, not from the answer, and fails since the first failure', () => {
    let now = 100;
    const clock = createFactClock('keys', 1_000, () => now);
    clock.confirmed(90);
    now = 200;
    clock.failed();
    now = 250;
    clock.failed();
    expect(clock.ages()).toEqual([{ fact: 'keys', ageMs: 160, limitMs: 1_000, failingMs: 50 }]);
    clock.confirmed();
    expect(clock.ages()).toEqual([{ fact: 'keys', ageMs: 0, limitMs: 1_000, failingMs: 0 }]);
  });

  it('is not made older by an answer to an earlier question', () => {
    const clock = createFactClock('groups', 1_000, () => 100);
    clock.confirmed(90);
    clock.confirmed(10);
    expect(clock.ages()).toMatchObject([{ ageMs: 10 }]);
  });

  it('has no age below 0 when the clock is set back', () => {
    let now = 1_000;
    const clock = createFactClock('groups', 1_000, () => now);
    clock.confirmed();
    clock.failed();
    now = 0;
    expect(clock.ages()).toMatchObject([{ ageMs: 0, failingMs: 0 }]);
  });

  it('counts on from where the clock was set back to', () => {
    let now = 3_600_000;
    const clock = createFactClock('groups', 1_000, () => now);
    clock.confirmed();
    clock.failed();
    now = 0;
    clock.ages();
    now = 60_000;
    expect(clock.ages()).toMatchObject([{ ageMs: 60_000, failingMs: 60_000 }]);
    clock.confirmed();
    now = 70_000;
    expect(clock.ages()).toMatchObject([{ ageMs: 10_000, failingMs: 0 }]);
  });
});

describe('worstAges', () => {
  it('has one of each fact: what fails longest, else what is closest to its limit', () => {
    const age = (ageMs: number, failingMs: number) =>
      ({ fact: 'keys', ageMs, limitMs: 1_000, failingMs }) as const;
    const policy = { fact: 'policy', ageMs: 1, limitMs: 2, failingMs: 0 } as const;
    expect(worstAges([age(10, 0), policy, age(900, 0), age(20, 0)])).toEqual([age(900, 0), policy]);
    expect(worstAges([age(900, 0), age(10, 5), age(10, 2)])).toEqual([age(10, 5)]);
    expect(worstAges([])).toEqual([]);
  });
});
