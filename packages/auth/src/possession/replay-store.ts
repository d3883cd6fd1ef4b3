/** For how long something is used, and who must find room for that. */
export interface ReplayClaim {
  /** How long the claim counts, in whole milliseconds, 1 at least. */
  readonly ttlMs: number;
  /** Whose share of the store it takes: who the token speaks for. */
  readonly owner: string;
}

/** Remembers what may be used once. Replicas that share one notice a replay on any of them. */
export interface ReplayStore {
  /**
   * Claims `id`: `true` for the first who does, whoever that is, `false` for everyone after until the time is over. Rejects when
   * it cannot tell; it never forgets a claim that counts.
   */
  readonly claim: (id: string, claim: ReplayClaim) => boolean | Promise<boolean>;
}
