import type { Ask, Once } from '../exchange/conversation.ts';
import type { LogLevel } from '../exchange/log-level.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Caller, Logger, UpstreamCall } from '../ports.ts';
import type { CallTask } from './call-task.ts';

/** What a handler gets besides its input. Hand it on as it is: a copy by `...` has not all of it. */
export interface CallContext {
  readonly caller: Caller;
  /** Aborted when the client cancels or the deadline passes. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  /** When the call gives up, in milliseconds since the Unix epoch; later, once somebody has been asked. */
  readonly deadlineAt: number;
  readonly correlationId: string;
  /** The `_meta` of the request, as the client sent it; empty where it sent none. */
  readonly meta: JsonObject;
  /**
   * Of a tool with `idempotent`: the same for the same call, and for no other, to send to an upstream as `Idempotency-Key`.
   * @default `undefined`
   */
  readonly idempotencyKey?: string | undefined;
  /** In the handler of a long-running tool. @default `undefined` */
  readonly task?: CallTask | undefined;
  /** The operator's log. */
  readonly logger: Logger;
  /**
   * Tells the client how far the call is, if it has asked for that; a report that is not further than the one before
   * is left out. Report as often as you like: what a person could not see anyway is not sent.
   *
   * @param done in any unit, and always more than before.
   * @param total in the same unit. @default nobody knows
   * @param message for the person: what is being done.
   */
  readonly progress: (done: number, total?: number, message?: string) => void;
  /**
   * Sends a message to the client, which may show it to the person, if it wants messages of this level. Nothing
   * secret, personal or internal goes there. After 100 at once, 20 a second are sent; what is beyond that is lost.
   */
  readonly log: (level: LogLevel, data: JsonValue) => void;
  /**
   * Asks the client: the person by `form` or `openUrl`, its model by `sampling`, itself by `roots`. Declined, cancelled
   * and impossible are answers; `accepted(answer)` is for a handler that can do nothing without a yes. The deadline does
   * not run while somebody thinks. In 2026-07-28 the handler ends here, and runs again from its beginning once the
   * client has answered: what stands before must bear to be repeated, or be in `once`. Do not catch what this throws.
   * Only tools, prompts and the reading of resources can ask.
   *
   * @throws {PublicError} `answer_misfit` when the client keeps giving what does not fit.
   */
  readonly ask: Ask;
  /**
   * Does something that must not be repeated when an answer makes the handler run again: later runs get the value of the
   * first, which must be JSON. The client keeps it, sealed. Wait for it before you ask.
   */
  readonly once: Once;
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
