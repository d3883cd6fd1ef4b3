import { describe, expect, it } from 'vitest';

import { createTestClock } from '../testing/index.ts';
import { CallLimit } from './deadline.ts';
import { stopCodeOf } from './stop-signal.ts';

function setUp(limitMs = 30_000, parent = new AbortController()) {
  const clock = createTestClock();
  const limit = new CallLimit({ parent: parent.signal, now: 0, limitMs, wakeMs: 10_000, clock });
  return { clock, limit, parent };
}

describe('call limit', () => {
  it('needs one timer for a call and its attempts, and clears it', () => {
    const { clock, limit } = setUp();
    const attempt = limit.attempt();
    attempt.start(0, 10_000);
    expect(clock.pending()).toEqual([10_000]);
    attempt.release();
    limit.release();
    expect(clock.pending()).toEqual([]);
  });

  it('stops an attempt at its own end and not before, whatever woke the timer', () => {
    const { clock, limit } = setUp();
    clock.advance(3_000);
    const attempt = limit.attempt();
    attempt.start(3_000, 10_000);
    clock.advance(9_999);
    expect(attempt.aborted).toBe(false);
    clock.advance(1);
    expect(stopCodeOf(attempt)).toBe('timeout');
    expect(limit.aborted).toBe(false);
  });

  it('stops the earlier of two attempts alone', () => {
    const { clock, limit } = setUp();
    const [first, second] = [limit.attempt(), limit.attempt()];
    first.start(0, 5_000);
    second.start(0, 6_000);
    clock.advance(5_000);
    expect([first.aborted, second.aborted]).toEqual([true, false]);
    clock.advance(1_000);
    expect(second.aborted).toBe(true);
  });

  it('stops everything at the deadline, which goes before a timeout at the same instant', () => {
    const { clock, limit } = setUp(10_000);
    const attempt = limit.attempt();
    attempt.start(0, 10_000);
    clock.advance(10_000);
    expect([stopCodeOf(limit), stopCodeOf(attempt)]).toEqual(['deadline_exceeded', 'deadline_exceeded']);
    expect(clock.pending()).toEqual([]);
  });

  it('stops with its caller, and an attempt that comes later is stopped from the start', () => {
    const { limit, parent } = setUp();
    const attempt = limit.attempt();
    const seen: string[] = [];
    const note = { handleEvent: () => void seen.push('stopped') };
    const late = { handleEvent: () => void seen.push('too late') };
    attempt.addEventListener('abort', note);
    attempt.addEventListener('abort', { ...note });
    attempt.addEventListener('abort', late);
    attempt.removeEventListener('abort', late);
    parent.abort();
    expect(seen).toEqual(['stopped', 'stopped']);
    expect(stopCodeOf(limit.attempt())).toBe('cancelled');
  });

  it('is stopped already when the caller is, or has no time left', () => {
    expect(stopCodeOf(setUp(0).limit)).toBe('deadline_exceeded');
    const gone = new AbortController();
    gone.abort();
    expect(stopCodeOf(setUp(1_000, gone).limit)).toBe('cancelled');
  });

  it('turns into an AbortSignal that follows it, before or after', () => {
    const { limit } = setUp();
    const early = limit.signal;
    limit.stop('timeout');
    const { limit: stopped } = setUp();
    stopped.stop('timeout');
    expect([early.aborted, stopped.signal.aborted]).toEqual([true, true]);
    expect(stopCodeOf(early)).toBe('timeout');
  });

  it('lets go of its caller when released', () => {
    const { limit, parent } = setUp();
    limit.release();
    parent.abort();
    expect(limit.aborted).toBe(false);
  });
});
