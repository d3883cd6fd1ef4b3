import type { CallerName } from './caller-circuits.ts';

/** Keeps calls away from an upstream until the time it asked for: those of the caller it was said to, or everybody's. */
export interface Throttle {
  /** Milliseconds until calls of this caller may pass; 0 when they may. */
  readonly remainingMs: (now: number, caller: CallerName) => number;
  /** Holds one caller's calls back for so long, unless they are held back for longer already. */
  readonly holdBack: (now: number, forMs: number, caller: string | undefined) => void;
  /** Holds back the calls of everybody. */
  readonly holdBackAll: (now: number, forMs: number) => void;
  /** How many callers are held back; everybody is one. */
  readonly heldBack: (now: number) => number;
  /** Lets everything pass. */
  readonly reset: () => void;
}

/** A caller that is forgotten early asks once and is sent away once more. */
const MAX_CALLERS = 1_000;

/**
 * Creates one that lets calls pass. `undefined` stands for all calls without a caller. Times are those of the monotonic
 * clock, read when someone asks, so there is no timer.
 */
export function createThrottle(): Throttle {
  const passesAt = new Map<string | undefined, number>();
  let allPassAt = -Infinity;

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
    remainingMs(now, caller) {
      const at = passesAt.size === 0 ? undefined : passesAt.get(caller());
      return Math.max(0, allPassAt - now, (at ?? now) - now);
    },
    holdBack(now, forMs, caller) {
      if (forMs <= 0) {
        return;
      }
      const known = passesAt.get(caller);
      if (known === undefined && passesAt.size >= MAX_CALLERS) {
        makeRoom(now);
      }
      passesAt.set(caller, Math.max(known ?? now, now + forMs));
    },
    holdBackAll(now, forMs) {
      allPassAt = Math.max(allPassAt, now + forMs);
    },
    heldBack(now) {
      const callers = [...passesAt.values()].filter((at) => at > now).length;
      return allPassAt > now ? callers + 1 : callers;
    },
    reset() {
      passesAt.clear();
      allPassAt = -Infinity;
    },
  };
}
