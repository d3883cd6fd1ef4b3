/** How many events, and for how long, a writer leaves without a signature at most. */
export interface CheckpointCadence {
  readonly checkpointEvents: number;
  /** In milliseconds. */
  readonly checkpointIntervalMs: number;
}

/** What a writer keeps to that was not told otherwise. */
export const DEFAULT_CADENCE: CheckpointCadence = { checkpointEvents: 1000, checkpointIntervalMs: 60_000 };
