/**
 * What went wrong, as stable API:
 * - `locked`: another process (or another trail in this one) writes to the directory.
 * - `damaged`: the stored trail does not verify somewhere other than at its torn end.
 * - `forged`: what is stored is whole but was not written by this trail: a signature is missing or wrong, or a sink was
 *   given something else.
 * - `lost`: the files of the trail were removed, replaced, moved or cut under a running writer; it records nothing more
 *   until it is opened again.
 * - `signing_failed`: the signer did not sign; events are recorded, and nobody vouches for them yet.
 * - `anchor_failed`: somebody who keeps the last checkpoint did not take it; it is offered again.
 * - `unavailable`: the event could not be made durable; the action must not go ahead.
 * - `already_finished`: `finish()` was called a second time.
 * - `closed`: the trail is closing or closed.
 * - `delivery_failed`: a sink could not be reached or is in trouble; the trail keeps the events and retries.
 * - `refused_by_sink`: a sink refuses with a status that may be about the sender, the address or the events, such as
 *   401, 403 or 404; the trail retries, and sets aside what is refused alone.
 * - `rejected_by_sink`: a sink does not take what is in a batch; the trail sends smaller ones, and sets the one
 *   event aside that it does not take.
 * - `not_confirmed`: a sink answered as if it had taken the events, but its answer does not say so; they are sent again.
 * - `read_failed`: stored events could not be read, so they were not delivered.
 * - `disk_low`: the disk has less free space than `minFreeBytes`, or the trail has less than a fifth of its share left.
 * - `disk_quota`: the trail has used up its share of the disk; the action must not go ahead.
 */
export type AuditErrorCode =
  | 'locked'
  | 'damaged'
  | 'forged'
  | 'lost'
  | 'signing_failed'
  | 'anchor_failed'
  | 'unavailable'
  | 'already_finished'
  | 'closed'
  | 'delivery_failed'
  | 'refused_by_sink'
  | 'rejected_by_sink'
  | 'not_confirmed'
  | 'read_failed'
  | 'disk_low'
  | 'disk_quota';

const PUBLIC_MESSAGES: Readonly<Record<AuditErrorCode, string>> = {
  locked: 'The audit trail is in use by another process.',
  damaged: 'The audit trail is damaged and needs an operator.',
  forged: 'The audit trail is not what was written and needs an operator.',
  lost: 'The audit trail was removed or replaced under the running server. Nothing is recorded until a restart.',
  signing_failed: 'The audit trail is not being signed; events are still recorded.',
  anchor_failed: 'The audit trail could not be anchored outside; events are still recorded.',
  unavailable: 'The audit trail cannot record right now, so nothing was done. Try again later.',
  already_finished: 'The outcome of this call is already recorded.',
  closed: 'The server is shutting down. Try again later.',
  delivery_failed: 'The audit collector did not accept the events; they are kept and sent again.',
  refused_by_sink:
    'The audit collector refuses the events: check its address, its rules and the credentials. They are kept and sent again.',
  rejected_by_sink:
    'The audit collector refuses events for what is in them; what it refuses alone is set aside for an operator.',
  not_confirmed:
    'The audit collector answered, but did not confirm the events; they are kept and sent again.',
  read_failed: 'The audit trail could not read stored events, so they were not delivered.',
  disk_low: 'The audit trail is running out of disk space.',
  disk_quota:
    'The audit trail has used up its share of the disk, so nothing was done. Its operator has to make room.',
};

/** An event or checkpoint that a sink did not take although it took others of the same batch. */
export interface RefusedRecord {
  /** The id of the event or checkpoint. */
  readonly id: string;
  /** Whether the sink may take it later. One that it never takes is set aside. */
  readonly isRetryable: boolean;
}

/**
 * Every error of this package. `message` is for operators and may name paths; `publicMessage` is the only
 * text a model or an end user may read.
 */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly code: AuditErrorCode;
  /** Says what failed and what to try next, and nothing of paths. */
  readonly publicMessage: string;
  /** How long a sink asks to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What a sink did not take of a batch, where it says so: it has all the rest. @default the whole batch */
  readonly refused: readonly RefusedRecord[] | undefined;

  constructor(
    code: AuditErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly retryAfterMs?: number | undefined;
      readonly refused?: readonly RefusedRecord[] | undefined;
    } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.refused = options.refused;
    this.code = code;
    this.publicMessage = PUBLIC_MESSAGES[code];
  }
}

/** Whether a file is not there (any more). */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
