import type { JsonObject } from '../json.ts';
import type { CallContext } from './call-context.ts';
import type { ListingOptions } from './listing-options.ts';
import type { Permission } from './permission.ts';

/** A tool that is made beside a long-running one, for clients that know no tasks. What is left out has a default. */
export interface CompanionTool extends Pick<ListingOptions, 'title'> {
  /** @default the tool's name with `_status`, or `_cancel` */
  readonly name?: string | undefined;
  /** Starts with a verb; says when to use it. @default words about the tool's title */
  readonly description?: string | undefined;
  /** @default that of the tool, for any input */
  readonly permission?: Permission<never> | undefined;
}

/**
 * A tool whose work outlives the request. The call starts it and is answered at once: with a task, where the client knows
 * tasks, and with a task id for the two companion tools where it does not. The handler runs under the caller's permission
 * of that moment, and the audit trail has one intent, from the call, and one outcome, from the end.
 *
 * A handler that throws an `RpcError` ends the task with that JSON-RPC error: it has failed in the sense of the protocol,
 * and has no result (SEP-2663). Any other failure is a result that the model reads.
 */
// Its functions are methods, as those of the tools, so that one list may hold tools of different inputs.
export interface LongRunning<Input> {
  /**
   * What becomes of a run that its process did not survive: it fails, or the handler runs again. Choose `resume` for work
   * that finds what it did before: `context.task.id` is the same in each run, and fit for an idempotency key.
   *
   * @default 'fail'
   */
  readonly onInterrupted?: 'fail' | 'resume' | undefined;
  /**
   * `required`: only clients that know tasks can call it, and the others are told so; then there are no companion tools.
   * (2025-11-25, `execution.taskSupport`; SEP-2663, error -32021.)
   *
   * @default 'optional'
   */
  readonly taskSupport?: 'optional' | 'required' | undefined;
  /**
   * Completes the arguments before there is a task, and may ask the person for what is missing. What it returns takes the
   * place of the arguments as sent: it is parsed, decided on and kept as those are.
   *
   * @default the arguments as sent
   */
  // oxlint-disable-next-line typescript/method-signature-style
  prepare?(input: Input, context: CallContext): Promise<JsonObject>;
  /** How often a client should look, in milliseconds, 100 to 3600000. @default 5_000 */
  readonly pollIntervalMs?: number | undefined;
  /** Says what is being done, in a few words, for the status: `payment-service 2.4.1 to staging`. @default the tool's title */
  // oxlint-disable-next-line typescript/method-signature-style
  title?(input: Input): string;
  /** Makes a repeated call the same task, for the same caller. @default each call is a task of its own */
  // oxlint-disable-next-line typescript/method-signature-style
  idempotencyKey?(input: Input): string | undefined;
  readonly statusTool?: CompanionTool | undefined;
  readonly cancelTool?: CompanionTool | undefined;
}
