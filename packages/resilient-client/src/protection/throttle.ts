/** Keeps calls away from an upstream until the time its 429 asked for: those of the caller it was said to. */
export interface Throttle {
  /** Milliseconds until calls of this caller may pass; 0 when they may. */
  readonly remainingMs: (now: number, caller: unknown) => number;
  /** Holds a caller's calls back for so long, unless they are held back for longer already. */
  readonly holdBack: (now: number, forMs: number, caller: unknown) => void;
}

/** A caller that is forgotten early asks once and is sent away once more. */
const MAX_CALLERS = 1_000;

/**
 * Creates one that lets calls pass. Callers are told apart by identity; `undefined` stands for all that use the client's
 * own token. Times are those of the monotonic clock, read when someone asks, so there is no timer.
 */
export function createThrottle(): Throttle {
  const passesAt = new Map<unknown, number>();

  function makeRoom(now: number): void {
    for (const [caller, at] of passesAt) {
      if (at <= now) {
        passesAt.delete(caller);
      }
    }
    for (const caller of passesAt.keys()) {
      if (passesAt.size < MAX_CALLERS) {
        return;
      }
      passesAt.delete(caller);
    }
  }

  return {
    remainingMs: (now, caller) => Math.max(0, (passesAt.get(caller) ?? now) - now),
    holdBack(now, forMs, caller) {
      const known = passesAt.get(caller);
      if (known === undefined && passesAt.size >= MAX_CALLERS) {
        makeRoom(now);
      }
      passesAt.set(caller, Math.max(known ?? now, now + forMs));
    },
  };
}
