/** Whether it is worth asking a Redis that does not reply. */
export interface Breaker {
  /** `false`: do not ask. `true` while it is shut, and for one trial at a time when the pause is over. */
  readonly mayAsk: () => boolean;
  readonly replied: () => void;
  readonly timedOut: () => void;
  readonly isOpen: () => boolean;
}

/** So many commands without a reply, one after the other, and the next are not sent. */
const MAX_TIMEOUTS = 3;
const PAUSE_MS = 1_000;

/**
 * A frozen Redis keeps its connections, so each command would wait for its timeout. After three in a row none waits for
 * a second; then one is sent to see.
 */
export function createBreaker(now: () => number = () => performance.now()): Breaker {
  let timeouts = 0;
  let pausedUntil = 0;
  return {
    mayAsk() {
      if (timeouts < MAX_TIMEOUTS) {
        return true;
      }
      const time = now();
      if (time < pausedUntil) {
        return false;
      }
      // Until this one has its reply, the others do not wait with it.
      pausedUntil = time + PAUSE_MS;
      return true;
    },
    replied() {
      timeouts = 0;
    },
    timedOut() {
      timeouts += 1;
      pausedUntil = now() + PAUSE_MS;
    },
    isOpen: () => timeouts >= MAX_TIMEOUTS,
  };
}
