import { untilAborted } from '../abort.ts';

/** Lets a limited number run at once; the others wait their turn. */
export interface Permits {
  /** Runs `work` when it is its turn. Rejects with the signal's reason when it aborts before. */
  readonly run: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

/** Lets `maxInFlight` run at once, a whole number above 0. */
export function createPermits(maxInFlight: number): Permits {
  let free = maxInFlight;
  const waiting = new Set<() => void>();

  async function acquire(signal: AbortSignal): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    waiting.add(turn.resolve);
    try {
      await untilAborted(turn.promise, signal);
    } catch (error) {
      // The turn may have come in the same moment as the abort: it is the next one's then.
      if (!waiting.delete(turn.resolve)) {
        release();
      }
      throw error;
    }
  }

  function release(): void {
    for (const next of waiting) {
      waiting.delete(next);
      next();
      return;
    }
    free += 1;
  }

  return {
    async run(work, signal) {
      signal.throwIfAborted();
      await acquire(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
