/** The last durations of something, to take a percentile of. */
export interface Latencies {
  readonly add: (durationMs: number) => void;
  /** Undefined until enough is known. */
  readonly percentile: (percent: number) => number | undefined;
}

/** Remembers the last 100 durations. */
export function createLatencies(): Latencies {
  const durations: number[] = [];
  let next = 0;
  return {
    add(durationMs) {
      durations[next] = durationMs;
      next = (next + 1) % REMEMBERED;
    },
    percentile(percent) {
      if (durations.length < ENOUGH) {
        return undefined;
      }
      const sorted = durations.toSorted((a, b) => a - b);
      return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)];
    },
  };
}

const REMEMBERED = 100;
const ENOUGH = 20;
