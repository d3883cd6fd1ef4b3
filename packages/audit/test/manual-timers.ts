import type { SetTimer } from '../src/index.ts';

// Checkpoints and maintenance: not what these tests are about.
const HOUSEKEEPING_MS = 60_000;

/** Timers that fire only when a test says so. */
export interface ManualTimers {
  readonly setTimer: SetTimer;
  /** The delays of the timers that wait now, in the order they were set. */
  readonly delays: readonly number[];
  /** Fires every timer that waits now. */
  readonly fire: () => void;
}

export function manualTimers(): ManualTimers {
  const waiting = new Map<object, { callback: () => void; delayMs: number }>();
  return {
    setTimer(callback, delayMs) {
      if (delayMs >= HOUSEKEEPING_MS) {
        return () => {};
      }
      const key = {};
      waiting.set(key, { callback, delayMs });
      return () => waiting.delete(key);
    },
    get delays() {
      return [...waiting.values()].map(({ delayMs }) => delayMs);
    },
    fire() {
      const due = [...waiting.values()];
      waiting.clear();
      for (const { callback } of due) {
        callback();
      }
    },
  };
}
