/** Keeps calls away from a backend until the time its 429 asked for. */
export interface NotBeforeGate {
  /** Milliseconds until calls may pass; 0 when they may. */
  remainingMs(now: number): number;
  /** Closes the gate for so long, unless it is closed for longer already. */
  close(now: number, forMs: number): void;
}

/** Creates an open gate. Times are those of the monotonic clock, read when someone asks, so there is no timer. */
export function createNotBeforeGate(): NotBeforeGate {
  let opensAt = Number.NEGATIVE_INFINITY;
  return {
    remainingMs: (now) => Math.max(0, opensAt - now),
    close(now, forMs) {
      opensAt = Math.max(opensAt, now + forMs);
    },
  };
}
