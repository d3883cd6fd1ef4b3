/** How much may be asked for. */
export interface Limit {
  /** Requests in a minute, from 1 to 1_000_000. @default no limit */
  readonly perMinute?: number | undefined;
  /**
   * Calls that run at once, from 1 to 1_000_000; of a long-running tool, its tasks that have not ended.
   *
   * @default no limit
   */
  readonly concurrent?: number | undefined;
}

/** How much one caller may ask of a tool, so that none uses up what is there for all. */
export interface ToolLimit extends Limit {
  /** How many requests a call counts as, from 1 to 1_000_000, wherever requests are counted. @default 1 */
  readonly weight?: number | undefined;
  /** How much all callers together may ask of it, for what a system behind it can bear. @default no limit */
  readonly total?: Limit | undefined;
}
