import { PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

import type { BindingOptions, Caller, MethodTable } from '@mcp-parts/tool-kit';

import type { Server } from '../assemble.ts';
import { checkWhole } from '../check-number.ts';
import { trackInFlight } from '../server/in-flight.ts';
import { planShutdown } from '../server/shutdown-budget.ts';
import { endWithToken } from './end-with-token.ts';
import { readOpening } from './opening.ts';
import { guardStdout } from './stdout-guard.ts';

/** How a server is served over standard input and output. */
export interface ServeStdioOptions {
  /**
   * Who the calls are made for: verified before this is called, the same for the whole connection. Calls from
   * `expiresAt` on, in milliseconds since the Unix epoch, are refused: no new token reaches a running server.
   */
  readonly caller: Caller & { readonly expiresAt?: number | undefined };
  /**
   * How long the end of the connection waits for running calls, in milliseconds; from 0 to what is left of the
   * server's termination grace period. @default all of that
   */
  readonly drainMs?: number | undefined;
  /** Ends the connection as the end of standard input does. */
  readonly signal?: AbortSignal | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

function resolveServeStdioOptions(options: ServeStdioOptions, terminationGraceMs: number | undefined) {
  const { callsMs } = planShutdown({ terminationGraceMs });
  const { caller, signal, drainMs = callsMs, now = Date.now } = options;
  checkWhole('drainMs', drainMs, 0, callsMs);
  return { caller, signal, drainMs, now };
}

/**
 * Serves one client over standard input and output until its input ends or `signal` aborts, and lets running
 * calls finish first. The first line decides the protocol era; only that era's SDK is loaded. Nothing but the
 * protocol reaches standard output.
 *
 * @throws {RangeError} naming the option that is out of its range.
 */
export async function serveStdio(server: Server, options: ServeStdioOptions): Promise<void> {
  const { logger } = server;
  const { caller, signal, drainMs, now } = resolveServeStdioOptions(options, server.terminationGraceMs);
  const guard = guardStdout(logger);
  const ended = connectionEnd(process.stdin, signal);
  logger.info({}, 'ready for a client');
  try {
    const opening = await Promise.race([
      ended.then(() => undefined),
      readOpening(process.stdin, () => {
        // JSON-RPC 2.0 §5.1: the id of a message that cannot be parsed is null.
        guard.protocol.write(
          `${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error: every line must be one JSON-RPC message.' } })}\n`,
        );
        logger.warn({}, 'a line on standard input is not JSON');
      }),
    ]);
    if (opening === undefined) {
      return;
    }

    // The SDKs drop running calls when their input ends, so theirs ends only after those calls did.
    const input = new PassThrough();
    input.write(opening.read);
    process.stdin.pipe(input, { end: false });

    const inFlight = trackInFlight(tableFor(server, caller.expiresAt, now));
    const binding: BindingOptions = {
      serverInfo: server.serverInfo,
      instructions: server.instructions,
      origin: () => ({ caller, transport: 'stdio' }),
    };
    const connect =
      opening.era === '2026'
        ? (await import('./connect-2026.ts')).connect2026
        : (await import('./connect-2025.ts')).connect2025;
    const close = await connect(inFlight.table, binding, { input, output: guard.protocol }, logger);

    await ended;
    if (!(await inFlight.idle(drainMs))) {
      logger.warn({ calls: inFlight.count() }, 'calls still running were dropped');
    }
    await written();
    await close();
    guard.protocol.end();
    await finished(guard.protocol);
  } finally {
    process.stdin.pause();
    guard.release();
  }
}

function tableFor(server: Server, expiresAt: number | undefined, now: () => number): MethodTable {
  const { table, audit, logger } = server;
  return expiresAt === undefined ? table : endWithToken(table, { expiresAt, now, audit, logger });
}

/** Resolves when the client is gone or the server is told to stop. */
function connectionEnd(input: Readable, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    input.once('end', resolve);
    input.once('close', resolve);
    input.once('error', () => resolve());
    if (signal?.aborted === true) {
      resolve();
    } else {
      signal?.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}

/** A finished call's response is written in the turns right after it. */
function written(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
