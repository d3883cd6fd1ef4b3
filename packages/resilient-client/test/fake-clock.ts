import type { Clock } from '../src/index.ts';

/** A clock that stands still until it is told to go on, or that jumps over every wait by itself. */
export interface FakeClock extends Clock {
  advance(byMs: number): void;
  /** Delays of the timers that are set and not yet due. */
  pending(): readonly number[];
}

export function fakeClock(startAt = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsedMs = 0;
  const timers = new Set<{ dueAt: number; delayMs: number; callback: () => void }>();
  return {
    now: () => startAt + elapsedMs,
    monotonicNow: () => elapsedMs,
    schedule(delayMs, callback) {
      const timer = { dueAt: elapsedMs + delayMs, delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pending: () => [...timers].map(({ delayMs }) => delayMs),
    advance(byMs) {
      elapsedMs += byMs;
      for (const timer of [...timers].toSorted((a, b) => a.dueAt - b.dueAt)) {
        if (timer.dueAt <= elapsedMs && timers.delete(timer)) timer.callback();
      }
    },
  };
}
