import type { BindingOptions, Caller } from '@mcp-parts/tool-kit';

import type { Server } from '../assemble.ts';
import { Stopped } from '../server/stopped.ts';
import { endWithToken } from './end-with-token.ts';
import { endPlan, moreUrgent, START_MS, type EndCause } from './ending.ts';
import type { Era } from './era.ts';
import { eras } from './eras.ts';
import { holdCalls } from './hold.ts';
import { createRouter } from './router.ts';
import { resolveStdioOptions, type StdioOptions } from './stdio-options.ts';
import { guardStdout } from './stdout-guard.ts';
import type { OpenChannel } from './wire/channel.ts';
import { readLines } from './wire/line-reader.ts';
import { writeLines, type Write } from './wire/line-writer.ts';
import { tooLong, type ErrorResponse } from './wire/message.ts';

/**
 * Who the calls are made for: verified before, and the same for the whole connection. Calls from `expiresAt` on, in
 * milliseconds since the Unix epoch, are refused: no new token reaches a running server.
 */
export type StdioCaller = Caller & { readonly expiresAt?: number | undefined };

/** A client on standard input and output. */
export interface StdioConnection extends AsyncDisposable {
  /** Aborts when the connection has ended, so that a start which is still under way stops. */
  readonly signal: AbortSignal;
  /**
   * Resolves when the first answer is written, or after 100 milliseconds without a message. Await it before you load
   * what takes long: while the process loads, it does not answer.
   */
  readonly opened: Promise<void>;
  /** Lets the calls through to the server, those first that wait. Resolves when the connection has ended and the server is closed. */
  readonly serve: (server: Server, options: { readonly caller: StdioCaller }) => Promise<void>;
  /** Without `serve`, answers what waits: the server could not start. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Serves one client over standard input and output before the server is open: `initialize`, `server/discover` and `ping`
 * are answered at once, calls wait until `serve` is called. A client of either era is served, and only the SDK of its
 * era is loaded. Nothing but the protocol reaches standard output.
 *
 * The connection ends when the input ends or the output breaks, which leaves running calls 800 milliseconds, and when `signal`
 * or `urgent` aborts. A call that is dropped is answered with an error and recorded as `server_stopped`.
 *
 * @throws {RangeError} naming the option that is out of its range.
 */
export function openStdio(options: StdioOptions): StdioConnection {
  const resolved = resolveStdioOptions(options);
  const { serverInfo, instructions, capabilities, logger, maxLineBytes, maxQueuedBytes, shutdown } = resolved;
  const gone = new AbortController();
  const stop = new AbortController();
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let cause: EndCause | undefined;
  /** When everything has ended, by `performance.now()`. */
  let endsAt = Number.POSITIVE_INFINITY;
  let isServed = false;
  let endsCalls: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;

  const held = holdCalls(capabilities, { holdMs: resolved.holdMs, stop: stop.signal });
  const binding: BindingOptions = {
    serverInfo,
    instructions,
    // The calls get the caller of the server that they wait for.
    origin: () => ({ caller: NOBODY, transport: 'stdio' }),
  };
  const guard = guardStdout(logger);
  const write: Write = (chunk, written) => {
    setImmediate(opened.resolve);
    return guard.write(chunk, written);
  };
  let silence = setTimeout(opened.resolve, SILENCE_MS);
  const writer = writeLines(process.stdout, write, maxQueuedBytes, {
    onBroken: () => end('closed'),
    onDrained() {
      router.resume();
      balance();
    },
  });
  const channelOf = (era: Era): OpenChannel | undefined => {
    const connect = eras[era];
    return connect && (async (port) => (await connect())(held.table, binding, port, logger));
  };
  const router = createRouter({
    channels: { 2025: channelOf('2025'), 2026: channelOf('2026') },
    writer,
    maxCalls: resolved.maxCalls,
    logger,
    onRoom: balance,
    onClosed: () => end('closed'),
  });
  const reader = readLines(process.stdin, maxLineBytes, {
    onLine(line) {
      // Its answer comes, unless it wants none.
      clearTimeout(silence);
      silence = setTimeout(opened.resolve, ANSWER_MS);
      router.receive(line);
      balance();
    },
    onTooLong() {
      logger.warn({ maxLineBytes }, 'a line on standard input is too long');
      router.reply(tooLong(maxLineBytes));
    },
    onEnd: () => end('input_ended'),
  });
  const unsubscribe = [
    onAbort(resolved.signal, () => end('stopped')),
    onAbort(resolved.urgent, () => end('urgent')),
  ];

  /** A client that does not read is not read either. */
  function balance(): void {
    if (writer.isFull() || router.waitingBytes() > maxQueuedBytes) {
      reader.pause();
    } else {
      reader.resume();
    }
  }

  function end(next: EndCause): void {
    const isFirst = cause === undefined;
    cause = moreUrgent(cause, next);
    opened.resolve();
    if (isFirst) {
      logger.info({ cause }, 'the connection ends');
    }
    if (cause !== 'input_ended') {
      // What has come with the end of the input is still served; everything else waits in vain.
      router.dropWaiting(errorOf(cause));
    }
    const { callsMs, totalMs } = planOf(cause);
    endsAt = Math.min(endsAt, performance.now() + (totalMs ?? Number.POSITIVE_INFINITY));
    // Each cause may shorten the time that running calls still have.
    clearTimeout(timer);
    const startMs = cause === 'input_ended' ? START_MS : 0;
    timer = setTimeout(() => endsCalls(), isServed ? callsMs : startMs);
    if (isFirst) {
      endAll().then(ended.resolve, ended.reject);
    }
  }

  const planOf = (now: EndCause | undefined) => endPlan(now ?? 'closed', resolved.drainMs, shutdown);

  async function endAll(): Promise<void> {
    await callsEnded();
    clearTimeout(timer);
    const { settleMs, flushMs } = planOf(cause);
    gone.abort(new Stopped());
    const count = router.count();
    router.dropAll(errorOf(cause));
    stop.abort(new Stopped());
    if (count > 0) {
      logger.warn({ requests: count }, 'requests were dropped');
      await held.settled(settleMs);
    }
    clearTimeout(silence);
    reader.stop();
    await router.close();
    await writer.flushed(flushMs);
    for (const undo of unsubscribe) {
      undo();
    }
    guard.release();
  }

  function callsEnded(): Promise<void> {
    return new Promise((resolve) => {
      endsCalls = resolve;
      router.onIdle(resolve);
      if (router.count() === 0) {
        resolve();
      }
    });
  }

  return {
    signal: gone.signal,
    opened: opened.promise,
    async serve(server, { caller }) {
      isServed = true;
      if (cause === undefined || cause === 'input_ended') {
        const { table, audit } = server;
        const { expiresAt } = caller;
        const { now } = resolved;
        held.release({
          table: expiresAt === undefined ? table : endWithToken(table, { expiresAt, now, audit, logger }),
          caller,
        });
        logger.info({}, 'ready for a client');
      }
      await ended.promise;
      const withinMs = Math.max(MIN_CLOSE_MS, Math.round(endsAt - performance.now()));
      await server.close({ withinMs: Number.isFinite(withinMs) ? withinMs : undefined });
    },
    async [Symbol.asyncDispose]() {
      if (cause === undefined) {
        end('start_failed');
      }
      await ended.promise;
    },
  };
}

const NOBODY: Caller = { id: '', kind: 'user', groups: [], permissions: [] };

const SILENCE_MS = 100;
const ANSWER_MS = 1_000;
const MIN_CLOSE_MS = 50;
const INTERNAL_ERROR = -32603;

const START_FAILED: ErrorResponse['error'] = {
  code: INTERNAL_ERROR,
  message:
    'The server could not start, so nothing was done. Do not try again; ask the person you work for to look at what the server has written to standard error.',
  data: { reason: 'start_failed' },
};

function errorOf(cause: EndCause | undefined): ErrorResponse['error'] {
  return cause === 'start_failed' ? START_FAILED : SERVER_STOPPED;
}

const SERVER_STOPPED: ErrorResponse['error'] = {
  code: INTERNAL_ERROR,
  message:
    'The server was stopped before this was done. It may or may not have taken effect: check before you try again.',
  data: { reason: 'server_stopped' },
};

/** Returns how to stop listening. */
function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted === true) {
    queueMicrotask(listener);
  }
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}
