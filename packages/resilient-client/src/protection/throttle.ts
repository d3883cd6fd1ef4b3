/** Keeps calls away from an upstream until the time its 429 asked for. */
export interface Throttle {
  /** Milliseconds until calls may pass; 0 when they may. */
  readonly remainingMs: (now: number) => number;
  /** Holds calls back for so long, unless they are held back for longer already. */
  readonly holdBack: (now: number, forMs: number) => void;
}

/** Creates one that lets calls pass. Times are those of the monotonic clock, read when someone asks, so there is no timer. */
export function createThrottle(): Throttle {
  let passesAt = Number.NEGATIVE_INFINITY;
  return {
    remainingMs: (now) => Math.max(0, passesAt - now),
    holdBack(now, forMs) {
      passesAt = Math.max(passesAt, now + forMs);
    },
  };
}
