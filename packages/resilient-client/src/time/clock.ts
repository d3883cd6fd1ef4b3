import type { StopSignal } from './stop-signal.ts';

/** Where the client reads time and sets timers; replace it in a test so that nothing waits. */
export interface Clock {
  /** Milliseconds since the Unix epoch, compared with instants from outside: `deadlineAt`, a Retry-After date. */
  readonly now: () => number;
  /** Milliseconds on a clock that never steps back, for measuring spans. */
  readonly monotonicNow: () => number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  readonly schedule: (delayMs: number, callback: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Waits `delayMs`, or until the signal aborts, whichever is first; the caller looks at the signal. */
export function sleep(delayMs: number, signal: StopSignal, clock: Clock): Promise<void> {
  if (signal.aborted) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const finish = () => {
      cancelTimer();
      signal.removeEventListener('abort', waiter);
      resolve();
    };
    const waiter = { handleEvent: finish };
    const cancelTimer = clock.schedule(delayMs, finish);
    signal.addEventListener('abort', waiter);
  });
}
