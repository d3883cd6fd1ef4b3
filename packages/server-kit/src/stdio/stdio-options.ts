import type { BindingOptions, JsonObject, Logger } from '@mcp-parts/tool-kit';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { planShutdown, type ShutdownOptions, type ShutdownPlan } from '../server/shutdown-budget.ts';

/** Limits of one connection, and what ends it. */
export interface StdioLimits {
  /**
   * How long the end of the connection waits for running calls when `signal` aborts, in milliseconds; from 0 to what is
   * left of the server's termination grace period. A client that closes the input gets 800 milliseconds. @default all of that
   */
  readonly drainMs?: number | undefined;
  /** Ends the connection: running calls end first, for up to `drainMs`. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the connection within 160 milliseconds; running calls are aborted. */
  readonly urgent?: AbortSignal | undefined;
  /** Maximum length of a line in bytes, from 1,024; a longer one is answered with -32700. @default 10_485_760 (10 MiB) */
  readonly maxLineBytes?: number | undefined;
  /** How many calls run at once, from 1; further ones wait. @default 64 */
  readonly maxCalls?: number | undefined;
  /**
   * How many bytes wait, from 1,024, in each direction: output that the client does not read, and calls that wait for
   * others. Beyond it no further message is read. @default 4_194_304 (4 MiB)
   */
  readonly maxQueuedBytes?: number | undefined;
  /** How long a call waits for a server that is still starting, in milliseconds, from 1. @default 30_000 */
  readonly holdMs?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** What is known of a server before it is open. */
export interface StdioOptions extends StdioLimits, Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly serverInfo: BindingOptions['serverInfo'];
  /** Told to the model once. */
  readonly instructions?: string | undefined;
  /** What the server will offer: the `capabilities` of its method table, for example `{ tools: {}, logging: {} }`. */
  readonly capabilities: JsonObject;
  readonly logger: Logger;
}

/** The options with every default filled in. */
export interface ResolvedStdioOptions extends StdioOptions {
  readonly drainMs: number;
  readonly maxLineBytes: number;
  readonly maxCalls: number;
  readonly maxQueuedBytes: number;
  readonly holdMs: number;
  readonly now: () => number;
  readonly shutdown: ShutdownPlan;
}

const MIN_BYTES = 1_024;
const MAX_BYTES = 1_073_741_824;
const MAX_CALLS = 10_000;

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveStdioOptions(options: StdioOptions): ResolvedStdioOptions {
  const shutdown = planShutdown({ terminationGraceMs: options.terminationGraceMs });
  const {
    drainMs = shutdown.callsMs,
    maxLineBytes = 10 * 1024 * 1024,
    maxCalls = 64,
    maxQueuedBytes = 4 * 1024 * 1024,
    holdMs = 30_000,
    now = Date.now,
  } = options;
  checkWhole('drainMs', drainMs, 0, shutdown.callsMs);
  checkWhole('maxLineBytes', maxLineBytes, MIN_BYTES, MAX_BYTES);
  checkWhole('maxCalls', maxCalls, 1, MAX_CALLS);
  checkWhole('maxQueuedBytes', maxQueuedBytes, MIN_BYTES, MAX_BYTES);
  checkWhole('holdMs', holdMs, 1, MAX_TIMER_MS);
  return { ...options, drainMs, maxLineBytes, maxCalls, maxQueuedBytes, holdMs, now, shutdown };
}
