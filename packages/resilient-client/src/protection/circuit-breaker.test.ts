import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createTestClock } from '../testing/index.ts';
import type { BreakerRate } from './call-policy.ts';
import { createCircuitBreaker, type CircuitBreaker, type Verdict } from './circuit-breaker.ts';

function setUp(random = () => 0, rate: BreakerRate | false = false) {
  const clock = createTestClock();
  const changes: string[] = [];
  const breaker = createCircuitBreaker({
    policy: { failures: 5, openMs: 60_000, rate },
    clock,
    random,
    onChange: (from, to) => changes.push(`${from}>${to}`),
  });
  return { clock, changes, breaker };
}

/** Lets a call pass that ends with the verdict. */
const run = async (breaker: CircuitBreaker, verdict: Verdict, isSlow = false) =>
  breaker.admit()?.end(verdict, isSlow);

async function fail(breaker: CircuitBreaker, times: number) {
  for (let i = 0; i < times; i++) {
    await run(breaker, 'failure');
  }
}

/** Begins a call that ends when it is told to. */
function start(breaker: CircuitBreaker) {
  const passage = breaker.admit();
  return {
    hasPassed: () => passage !== undefined,
    end: async (verdict: Verdict) => passage?.end(verdict, false),
  };
}

describe('circuit breaker', () => {
  it('opens at the fifth failure in a row, and a success starts the count again', async () => {
    const { breaker } = setUp();
    await fail(breaker, 4);
    await run(breaker, 'success');
    await fail(breaker, 4);
    expect(breaker.health()).toEqual({ state: 'closed', consecutiveFailures: 4 });
    await fail(breaker, 1);
    expect(breaker.health()).toEqual({ state: 'open', consecutiveFailures: 5, retryInMs: 60_000 });
  });

  it('lets a neutral result neither count nor interrupt the count', async () => {
    const { breaker } = setUp();
    await fail(breaker, 4);
    for (let i = 0; i < 20; i++) {
      await run(breaker, 'neutral');
    }
    expect(breaker.health()).toEqual({ state: 'closed', consecutiveFailures: 4 });
    await fail(breaker, 1);
    expect(breaker.health().state).toBe('open');
  });

  it('lets nothing pass while open', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker, 5);
    clock.advance(59_999);
    expect(breaker.shedsForMs()).toBe(1);
    expect(start(breaker).hasPassed()).toBe(false);
  });

  it('stays open for at least 60 s and at most 10 % longer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
        const { breaker, clock } = setUp(() => random);
        await fail(breaker, 5);
        clock.advance(59_999);
        expect(breaker.health().state).toBe('open');
        clock.advance(6_001);
        expect(breaker.health().state).toBe('half_open');
      }),
    );
  });

  it('lets exactly one of 20 concurrent calls through as the probe', async () => {
    const { breaker, clock, changes } = setUp();
    await fail(breaker, 5);
    clock.advance(60_000);
    expect(breaker.shedsForMs()).toBeUndefined();
    const calls = Array.from({ length: 20 }, () => start(breaker));
    expect(calls.filter((call) => call.hasPassed())).toHaveLength(1);
    expect(breaker.shedsForMs()).toBe(0);
    await calls[0]?.end('success');
    expect(changes).toEqual(['closed>open', 'open>half_open', 'half_open>closed']);
  });

  it('opens again for another 60 s when the probe fails', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker, 5);
    clock.advance(60_000);
    await fail(breaker, 1);
    expect(breaker.health()).toMatchObject({ state: 'open', retryInMs: 60_000 });
  });

  it('gives the turn to the next call when the probe learned nothing', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker, 5);
    clock.advance(60_000);
    await run(breaker, 'neutral');
    expect(breaker.health().state).toBe('half_open');
    const calls = Array.from({ length: 3 }, () => start(breaker));
    expect(calls.filter((call) => call.hasPassed())).toHaveLength(1);
    await calls[0]?.end('success');
    expect(breaker.health()).toEqual({ state: 'closed', consecutiveFailures: 0 });
  });

  it.each(['success', 'failure', 'neutral'] as const)(
    'ignores a late %s that began before the circuit opened',
    async (late) => {
      const { breaker, clock } = setUp();
      const old = [start(breaker), start(breaker)];
      await fail(breaker, 5);
      await old[0]?.end(late);
      expect(breaker.health()).toMatchObject({ state: 'open', consecutiveFailures: 5 });
      clock.advance(60_000);
      const probe = start(breaker);
      await old[1]?.end(late);
      expect(breaker.health().state).toBe('half_open');
      expect(start(breaker).hasPassed()).toBe(false);
      await probe.end('success');
      expect(breaker.health()).toEqual({ state: 'closed', consecutiveFailures: 0 });
    },
  );

  it('tells a probe from other calls, and whether its phase still lasts', async () => {
    const { breaker, clock } = setUp();
    const early = breaker.admit();
    expect([early?.isProbe, early?.isCurrent()]).toEqual([false, true]);
    await fail(breaker, 5);
    expect(early?.isCurrent()).toBe(false);
    clock.advance(60_000);
    const probe = breaker.admit();
    expect([probe?.isProbe, probe?.isCurrent(), early?.isCurrent()]).toEqual([true, true, false]);
  });

  it('lets nothing pass once isolated, however long that lasts, and everything once reset', async () => {
    const { breaker, clock, changes } = setUp();
    await fail(breaker, 4);
    breaker.isolate();
    clock.advance(1e9);
    expect(start(breaker).hasPassed()).toBe(false);
    expect([breaker.shedsForMs(), breaker.health().state]).toEqual([Infinity, 'isolated']);
    breaker.reset();
    await fail(breaker, 4);
    expect(breaker.health()).toEqual({ state: 'closed', consecutiveFailures: 4 });
    expect(changes).toEqual(['closed>isolated', 'isolated>closed']);
  });

  it('sets no timer', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker, 5);
    expect(clock.pending()).toEqual([]);
  });
});

describe('circuit breaker in rate mode', () => {
  const rate = { percent: 50, minCalls: 10, windowMs: 20_000 };

  it('opens at half of the calls failing, however the successes lie between', async () => {
    const { breaker } = setUp(undefined, rate);
    for (let i = 0; i < 4; i++) {
      await run(breaker, 'failure');
      await run(breaker, 'success');
    }
    await run(breaker, 'success');
    expect(breaker.health().state).toBe('closed');
    await run(breaker, 'failure');
    expect(breaker.health()).toMatchObject({ state: 'open', consecutiveFailures: 1 });
  });

  it('says nothing below the smallest number of calls, of which neutral ones are none', async () => {
    const { breaker } = setUp(undefined, rate);
    for (let i = 0; i < 4; i++) {
      await run(breaker, 'failure');
      await run(breaker, 'neutral');
      await run(breaker, 'success');
    }
    await run(breaker, 'failure');
    expect(breaker.health().state).toBe('closed');
  });

  it('forgets what has left the window', async () => {
    const { breaker, clock } = setUp(undefined, rate);
    for (let i = 0; i < 8; i++) {
      await run(breaker, i % 2 === 0 ? 'failure' : 'success');
    }
    clock.advance(20_000);
    for (let i = 0; i < 9; i++) {
      await run(breaker, 'success');
    }
    await run(breaker, 'failure');
    expect(breaker.health().state).toBe('closed');
  });

  it('starts anew when the circuit has closed again', async () => {
    const { breaker, clock } = setUp(undefined, { ...rate, windowMs: 1_000_000 });
    for (let i = 0; i < 10; i++) {
      await run(breaker, i % 2 === 0 ? 'success' : 'failure');
    }
    expect(breaker.health().state).toBe('open');
    clock.advance(60_000);
    await run(breaker, 'success');
    await run(breaker, 'failure');
    expect(breaker.health().state).toBe('closed');
  });

  it('opens on consecutive failures all the same', async () => {
    const { breaker } = setUp(undefined, rate);
    await fail(breaker, 5);
    expect(breaker.health().state).toBe('open');
  });

  it('opens at too many slow calls, though none fails', async () => {
    const { breaker } = setUp(undefined, { ...rate, slowCallMs: 1_000, slowPercent: 80 });
    for (let i = 0; i < 9; i++) {
      await run(breaker, 'success', i > 1);
    }
    expect(breaker.health().state).toBe('closed');
    await run(breaker, 'success', true);
    expect(breaker.health().state).toBe('open');
  });

  it('stays open when the probe was slow', async () => {
    const { breaker, clock } = setUp(undefined, { ...rate, slowCallMs: 1_000 });
    await fail(breaker, 5);
    clock.advance(60_000);
    await run(breaker, 'success', true);
    expect(breaker.health().state).toBe('open');
  });
});
