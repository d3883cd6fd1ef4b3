/** Which keys were seen in the last while. */
export interface RecentKeys {
  /** Whether the key was not seen for `windowMs`; notes it. */
  readonly isNew: (key: string) => boolean;
}

/** Remembers keys for `windowMs`, the latest `maxKeys` of them. */
export function createRecentKeys(windowMs: number, maxKeys: number): RecentKeys {
  // In the order in which they were noted, so that the oldest come first.
  const notedAt = new Map<string, number>();
  return {
    isNew(key) {
      const now = Date.now();
      const last = notedAt.get(key);
      // Clocks are set back.
      if (last !== undefined && now - last < windowMs && now >= last) {
        return false;
      }
      notedAt.delete(key);
      for (const [oldest, at] of notedAt) {
        if (notedAt.size < maxKeys && now - at < windowMs) {
          break;
        }
        notedAt.delete(oldest);
      }
      notedAt.set(key, now);
      return true;
    },
  };
}
