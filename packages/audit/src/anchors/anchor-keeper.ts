import type { AuditCheckpoint } from '../chain/checkpoint.ts';

/**
 * Keeps the last checkpoint of each trail in a place that whoever can write to the trail cannot: it proves where the
 * trail ended. Sinks may be keepers too.
 */
export interface AnchorKeeper {
  /** Names it in the log. */
  readonly name: string;
  /** Resolves when the anchor is kept; an earlier one of the same writer may go. */
  readonly keepAnchor: (anchor: AuditCheckpoint, options: AnchorOptions) => Promise<void>;
  /** The last one that was kept for a writer. A start compares its trail with it. @default nothing is compared */
  readonly latestAnchor?:
    | ((writerId: string, options: AnchorOptions) => Promise<AuditCheckpoint | undefined>)
    | undefined;
}

/** What a keeper is told besides. */
export interface AnchorOptions {
  /** Aborts when the trail no longer waits. */
  readonly signal: AbortSignal;
}
