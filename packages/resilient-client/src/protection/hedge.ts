import type { Clock } from '../time/clock.ts';

/** Work that has begun and can be stopped; stopped, it still settles. */
export interface Run<T> {
  readonly result: Promise<T>;
  readonly stop: () => void;
}

/**
 * Starts work, and once more when it takes longer than `delayMs`; the first good result wins and the other run is
 * stopped. A run that ends badly leaves the matter to the other, if there is one.
 * @see https://research.google/pubs/the-tail-at-scale/
 */
export function hedge<T>(options: {
  readonly start: () => Run<T>;
  /** The second run, or undefined when there must be none. */
  readonly startSecond: () => Run<T> | undefined;
  readonly delayMs: number;
  readonly isGood: (result: T) => boolean;
  readonly clock: Clock;
}): Promise<T> {
  const { start, startSecond, delayMs, isGood, clock } = options;
  return new Promise((resolve, reject) => {
    const runs = new Set<Run<T>>();
    const watch = (run: Run<T>) => {
      runs.add(run);
      const end = (settle: () => void, isFinal: boolean) => {
        runs.delete(run);
        if (!isFinal && runs.size > 0) {
          return;
        }
        cancelTimer();
        settle();
        for (const other of runs) {
          other.stop();
        }
      };
      run.result.then(
        (result) => end(() => resolve(result), isGood(result)),
        (error: unknown) => end(() => reject(error), true),
      );
    };
    const cancelTimer = clock.schedule(delayMs, () => {
      const second = startSecond();
      if (second !== undefined) {
        watch(second);
      }
    });
    watch(start());
  });
}
