import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import type { AuditEvent } from '../event/event.ts';

/**
 * Where events are shipped. `deliver` resolves when all of `events` are safely received and rejects otherwise;
 * a batch that was rejected, or whose answer was lost, comes again with the same key and the same event ids.
 */
export interface AuditSink {
  /** Names the cursor file: lower-case letters, digits and hyphens; must stay the same between runs. */
  readonly name: string;
  /** Whether it wants checkpoints. Then `events` may be empty. @default false */
  readonly takesCheckpoints?: boolean;
  deliver(
    events: readonly AuditEvent[],
    options: {
      readonly signal: AbortSignal;
      /** Writer, first and last sequence of the batch. */
      readonly idempotencyKey: string;
      /** The signed checkpoints among the events of the batch; only for a sink that takes them. */
      readonly checkpoints?: readonly AuditCheckpoint[];
    },
  ): Promise<void>;
}
