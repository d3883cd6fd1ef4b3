import { checkNumber } from '../check-number.ts';
import type { Clock } from '../time/clock.ts';

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /** Moves time on and runs every timer that falls due on the way, each at its own instant. */
  readonly advance: (byMs: number) => void;
  /**
   * Waits for work that itself waits on this clock: whenever nothing else is left to do, jumps to the next timer. With a
   * {@link createScriptedUpstream} a call with all its retries takes no real time; with sockets, files or signing keys it would jump too early.
   * @throws {Error} when the work hangs, because it neither settles nor has a timer set
   */
  readonly settle: <T>(work: Promise<T>) => Promise<T>;
  /** Milliseconds until each timer that is set, the nearest first: empty once everything has been tidied up. */
  readonly pending: () => readonly number[];
}

/**
 * Creates a clock that starts at `startAt`, in milliseconds since the Unix epoch. @default 2026-01-01T00:00:00Z
 * @throws {RangeError} for what is no instant.
 */
export function createTestClock(startAt: number = Date.UTC(2026, 0, 1)): TestClock {
  checkNumber('startAt', startAt, 0, MAX_INSTANT);
  let elapsedMs = 0;
  const timers = new Set<{ readonly dueAt: number; readonly callback: () => void }>();
  const inOrder = () => [...timers].toSorted((a, b) => a.dueAt - b.dueAt);

  function advance(byMs: number): void {
    checkNumber('byMs', byMs, 0, MAX_INSTANT);
    const target = elapsedMs + byMs;
    for (let [next] = inOrder(); next !== undefined && next.dueAt <= target; [next] = inOrder()) {
      timers.delete(next);
      elapsedMs = Math.max(elapsedMs, next.dueAt);
      next.callback();
    }
    elapsedMs = target;
  }

  return {
    now: () => startAt + elapsedMs,
    monotonicNow: () => elapsedMs,
    schedule(delayMs, callback) {
      const timer = { dueAt: elapsedMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance,
    async settle(work) {
      const state = { isSettled: false };
      const note = () => {
        state.isSettled = true;
      };
      work.then(note, note);
      let idleTurns = 0;
      for (;;) {
        // Everything that needs no timer gets its turn first.
        await new Promise((resolve) => setImmediate(resolve));
        if (state.isSettled) {
          return work;
        }
        const [next] = inOrder();
        idleTurns = next === undefined ? idleTurns + 1 : 0;
        if (next !== undefined) {
          advance(next.dueAt - elapsedMs);
        } else if (idleTurns > MAX_IDLE_TURNS) {
          throw new Error('the work waits for something that is no timer of this clock');
        }
      }
    },
    pending: () => inOrder().map(({ dueAt }) => dueAt - elapsedMs),
  };
}

// ECMA-262 §21.4.1.1: the last instant that a Date can name.
const MAX_INSTANT = 8.64e15;
const MAX_IDLE_TURNS = 10_000;

/**
 * Random numbers for a test: these in turn, and the last of them for ever.
 * @throws {RangeError} unless each is from 0 to below 1.
 */
export function createTestRandom(...values: readonly [number, ...number[]]): () => number {
  for (const value of values) {
    if (!(typeof value === 'number' && value >= 0 && value < 1)) {
      throw new RangeError(`random must be a number from 0 to below 1, got ${String(value)}`);
    }
  }
  let position = 0;
  return () => values[Math.min(position++, values.length - 1)] ?? 0;
}
