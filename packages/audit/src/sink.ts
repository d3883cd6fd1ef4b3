import type { AuditEvent } from './event.ts';

/**
 * Where events are shipped. `deliver` resolves when all of `events` are safely received and rejects otherwise;
 * a batch that was rejected, or whose answer was lost, comes again with the same key and the same event ids.
 */
export interface AuditSink {
  /** Names the cursor file: lower-case letters, digits and hyphens; must stay the same between runs. */
  readonly name: string;
  deliver(
    events: readonly AuditEvent[],
    options: {
      readonly signal: AbortSignal;
      /** Writer, first and last sequence of the batch. */
      readonly idempotencyKey: string;
    },
  ): Promise<void>;
}
