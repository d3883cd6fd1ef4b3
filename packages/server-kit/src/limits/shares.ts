/** Places that many want, of which nobody gets more than a share. */
export interface Shares {
  /** Takes a place; returns how to give it back, or which limit has been reached. */
  readonly take: (key: string) => (() => void) | 'full' | 'share';
  readonly taken: () => number;
}

/** Counts places in all and for each key; a key without a place takes no memory. */
export function createShares({
  max,
  maxPerKey,
}: {
  readonly max: number;
  readonly maxPerKey: number;
}): Shares {
  const byKey = new Map<string, number>();
  let taken = 0;
  return {
    take(key) {
      const own = byKey.get(key) ?? 0;
      if (own >= maxPerKey) {
        return 'share';
      }
      if (taken >= max) {
        return 'full';
      }
      taken += 1;
      byKey.set(key, own + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) {
          return;
        }
        isTaken = false;
        taken -= 1;
        const left = (byKey.get(key) ?? 1) - 1;
        if (left === 0) {
          byKey.delete(key);
        } else {
          byKey.set(key, left);
        }
      };
    },
    taken: () => taken,
  };
}
