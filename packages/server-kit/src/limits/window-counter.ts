/** Counts by key within windows of a minute. */
export interface WindowCounter {
  readonly add: (key: string) => number;
  readonly count: (key: string) => number;
  /** Until the counts start again, in milliseconds. */
  readonly resetMs: () => number;
}

const WINDOW_MS = 60_000;
/** Whoever would need more keys than this shares the last one. */
const MAX_KEYS = 10_000;
const OTHERS = '';

/** Counts in a bounded memory, which is given back with every window. */
export function createWindowCounter(now: () => number): WindowCounter {
  let counts = new Map<string, number>();
  let endsAt = now() + WINDOW_MS;
  const roll = () => {
    const time = now();
    // A clock that was set back would make a window of hours.
    if (time >= endsAt || endsAt - time > WINDOW_MS) {
      counts = new Map();
      endsAt = time + WINDOW_MS;
    }
  };
  const keyOf = (key: string) => (counts.has(key) || counts.size < MAX_KEYS ? key : OTHERS);
  return {
    add(sent) {
      roll();
      const key = keyOf(sent);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
    count(key) {
      roll();
      return counts.get(keyOf(key)) ?? 0;
    },
    resetMs: () => Math.min(WINDOW_MS, Math.max(0, endsAt - now())),
  };
}
