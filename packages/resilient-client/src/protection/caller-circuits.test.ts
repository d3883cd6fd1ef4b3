import { describe, expect, it } from 'vitest';

import { createTestClock } from '../testing/index.ts';
import { createCallerCircuits, type CallerCircuits } from './caller-circuits.ts';
import type { Verdict } from './circuit-breaker.ts';

function setUp() {
  const clock = createTestClock();
  const changes: string[] = [];
  const circuits = createCallerCircuits({
    policy: { failures: 5, openMs: 60_000, rate: false },
    clock,
    random: () => 0,
    onChange: (from, to) => changes.push(`${from}>${to}`),
  });
  return { clock, circuits, changes };
}

/** A call of each of these callers, one after the other; how many passed. */
async function run(circuits: CallerCircuits, callers: readonly (string | undefined)[], verdict: Verdict) {
  let passed = 0;
  for (const caller of callers) {
    const passage = circuits.admit(() => caller);
    passed += passage === undefined ? 0 : 1;
    await passage?.end(verdict, false);
  }
  return passed;
}

const times = (count: number, caller: string | undefined) => Array<typeof caller>(count).fill(caller);

describe('the circuits of callers', () => {
  it('hold back the one caller whose calls fail, and nobody else', async () => {
    const { circuits, changes } = setUp();

    expect(await run(circuits, times(20, 'alice'), 'failure')).toBe(5);

    expect(circuits.shedsForMs(() => 'alice')).toBe(60_000);
    expect(circuits.health()).toEqual({ state: 'closed', consecutiveFailures: 1, callersHeldBack: 1 });
    expect(await run(circuits, ['bob', undefined], 'success')).toBe(2);
    expect(changes).toEqual([]);
  });

  it('open for everybody when calls of several callers fail', async () => {
    const { circuits } = setUp();

    expect(await run(circuits, ['alice', 'bob', 'alice', 'carol', 'bob'], 'failure')).toBe(5);

    expect(circuits.health()).toMatchObject({ state: 'open' });
    expect(await run(circuits, ['dave', undefined], 'success')).toBe(0);
  });

  it('open for everybody when calls of nobody in particular fail', async () => {
    const { circuits } = setUp();

    await run(circuits, times(5, undefined), 'failure');

    expect(circuits.health()).toMatchObject({ state: 'open', consecutiveFailures: 5 });
  });

  it('let one call of the caller find out, and forget it once that succeeded', async () => {
    const { circuits, clock } = setUp();
    await run(circuits, times(5, 'alice'), 'failure');
    clock.advance(60_000);

    const probe = circuits.admit(() => 'alice');
    expect(probe?.isProbe).toBe(true);
    expect(circuits.admit(() => 'alice')).toBeUndefined();
    expect(circuits.admit(() => 'bob')).toBeDefined();
    await probe?.end('success', false);

    expect(await run(circuits, times(4, 'alice'), 'failure')).toBe(4);
    expect(circuits.health()).toEqual({ state: 'closed', consecutiveFailures: 1 });
  });

  it('remember a bounded number of callers', async () => {
    const { circuits } = setUp();
    await run(circuits, times(5, 'alice'), 'failure');
    for (let i = 0; i < 1_000; i++) {
      await run(circuits, [`caller ${i}`], 'failure');
      await run(circuits, [undefined], 'success');
    }
    expect(circuits.shedsForMs(() => 'alice')).toBeUndefined();
  });

  it('are forgotten with a reset', async () => {
    const { circuits } = setUp();
    await run(circuits, times(5, 'alice'), 'failure');
    circuits.isolate();
    expect(await run(circuits, ['bob'], 'success')).toBe(0);
    circuits.reset();
    expect(await run(circuits, ['alice', 'bob'], 'success')).toBe(2);
    circuits.close();
  });
});
