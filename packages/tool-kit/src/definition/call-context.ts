import type { Caller, Logger, TaskRunner, UpstreamCall } from '../ports.ts';

/** What a handler gets besides its input. Hand it on as it is: a copy by `...` has no `signal`. */
export interface CallContext {
  readonly caller: Caller;
  /** Aborted when the client cancels or the deadline passes. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  /** When the call gives up, in milliseconds since the Unix epoch. */
  readonly deadlineAt: number;
  readonly correlationId: string;
  readonly tasks: TaskRunner;
  readonly logger: Logger;
  /**
   * Tell it how each call to an upstream ended: the audit trail keeps that with the outcome. What is
   * told after the handler's own call has ended, as when it was cancelled, is lost.
   */
  readonly onUpstreamCall: (call: UpstreamCall) => void;
}

/** Suggests values for one variable; `known` holds the variables already chosen. */
export type Completer = (
  prefix: string,
  known: Readonly<Record<string, string>>,
  context: CallContext,
) => Promise<readonly string[]>;
