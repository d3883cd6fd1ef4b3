import type { AnchorKeeper } from '../anchors/anchor-keeper.ts';
import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import type { AuditEvent } from '../event/event.ts';

/**
 * Where events are shipped. `deliver` resolves when all of `events` are safely received and rejects otherwise;
 * a batch that was rejected, or whose response was lost, comes again with the same key and the same event ids.
 * Reject with an AuditError to say more: `rejected_by_sink` for what is in the events, `refused_by_sink` when it may
 * also be the sender, `retryAfterMs`, or `refused` for the part that was not taken. An event that is refused again and
 * again while another one is taken is set aside, whatever the error.
 */
export interface AuditSink {
  /** Names the cursor file: lower-case letters, digits and hyphens, at most 64; must stay the same between runs. */
  readonly name: string;
  /** Whether it wants checkpoints. Then `events` may be empty. @default false */
  readonly takesCheckpoints?: boolean | undefined;
  readonly deliver: (events: readonly AuditEvent[], options: DeliverOptions) => Promise<void>;
  /** Keeps the last checkpoint apart from the events, where the sink can; see {@link AnchorKeeper}. */
  readonly keepAnchor?: AnchorKeeper['keepAnchor'] | undefined;
  readonly latestAnchor?: AnchorKeeper['latestAnchor'];
}

/** What a sink is told with a batch. */
export interface DeliverOptions {
  /** Aborts when the trail no longer waits for the batch. */
  readonly signal: AbortSignal;
  /** Writer, first and last sequence of the batch; with the number of events where some were left out. */
  readonly idempotencyKey: string;
  /** The signed checkpoints among the events of the batch; only for a sink that takes them. */
  readonly checkpoints?: readonly AuditCheckpoint[] | undefined;
}

/** Writer, first and last sequence; with how many there are where some between them were left out. */
export function idempotencyKeyOf(
  writerId: string,
  events: readonly AuditEvent[],
  checkpoints: readonly AuditCheckpoint[],
): string {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) {
    return `${writerId}:checkpoint-${checkpoints[0]?.id}`;
  }
  const range = `${writerId}:${first.sequence}-${last.sequence}`;
  return last.sequence - first.sequence + 1 === events.length ? range : `${range}:${events.length}`;
}

/** @throws {TypeError} unless a file can be named after it */
export function checkSinkName(option: string, name: unknown): void {
  if (typeof name !== 'string' || !/^[a-z0-9-]{1,64}$/.test(name)) {
    throw new TypeError(`${option} must be 1 to 64 of a-z, 0-9 and -, got ${String(name)}`);
  }
}
