/**
 * What went wrong, as stable API:
 * - `locked`: another process (or another trail in this one) writes to the directory.
 * - `damaged`: the stored trail does not verify somewhere other than at its torn end.
 * - `unavailable`: the event could not be made durable; the action must not go ahead.
 * - `invalid_event`: the event cannot be stored as JSON or is too large even without its arguments.
 * - `already_finished`: `finish()` was called a second time.
 * - `closed`: the trail is closing or closed.
 * - `delivery_failed`: a sink did not accept a batch; the trail keeps it and retries.
 * - `rejected_by_sink`: a sink does not take what is in a batch; the trail sends smaller ones, and sets the one
 *   event aside that it does not take.
 * - `disk_low`: the disk has less free space than `minFreeBytes`.
 */
export type AuditErrorCode =
  | 'locked'
  | 'damaged'
  | 'unavailable'
  | 'invalid_event'
  | 'already_finished'
  | 'closed'
  | 'delivery_failed'
  | 'rejected_by_sink'
  | 'disk_low';

const PUBLIC_MESSAGES: Readonly<Record<AuditErrorCode, string>> = {
  locked: 'The audit trail is in use by another process.',
  damaged: 'The audit trail is damaged and needs an operator.',
  unavailable: 'The audit trail cannot record right now, so nothing was done. Try again later.',
  invalid_event: 'The request cannot be recorded in the audit trail, so nothing was done.',
  already_finished: 'The outcome of this call is already recorded.',
  closed: 'The server is shutting down. Try again later.',
  delivery_failed: 'The audit collector did not accept the events; they are kept and sent again.',
  rejected_by_sink: 'The audit collector does not take an event; it was set aside for an operator.',
  disk_low: 'The audit trail is running out of disk space.',
};

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

  constructor(
    code: AuditErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.code = code;
    this.publicMessage = PUBLIC_MESSAGES[code];
  }
}
