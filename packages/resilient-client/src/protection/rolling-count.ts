/** Counts what happened in the last `windowMs`, to a tenth of it, in constant memory. */
export interface RollingCount {
  /** @param now on the monotonic clock; never less than the time before */
  readonly add: (now: number) => void;
  readonly total: (now: number) => number;
  readonly clear: () => void;
}

/** Ten buckets, of which the oldest is emptied when its time has passed. */
export function createRollingCount(windowMs: number): RollingCount {
  const buckets = Array.from({ length: BUCKETS }, () => 0);
  const widthMs = windowMs / BUCKETS;
  let current = 0;
  let total = 0;

  function turnTo(now: number): void {
    const next = Math.floor(now / widthMs);
    const passed = Math.min(next - current, BUCKETS);
    for (let i = 1; i <= passed; i++) {
      const index = (current + i) % BUCKETS;
      total -= buckets[index] ?? 0;
      buckets[index] = 0;
    }
    current = next;
  }

  return {
    add(now) {
      turnTo(now);
      const index = current % BUCKETS;
      buckets[index] = (buckets[index] ?? 0) + 1;
      total += 1;
    },
    total(now) {
      turnTo(now);
      return total;
    },
    clear() {
      buckets.fill(0);
      total = 0;
    },
  };
}

const BUCKETS = 10;
