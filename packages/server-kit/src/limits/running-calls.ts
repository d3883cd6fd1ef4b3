import type { TraceContext } from '@mcp-parts/tool-kit';

import type { KnownCaller } from '../gate/gate.ts';
import { attachOrigin } from '../gate/origin.ts';
import type { OpenPlace, Running } from '../gate/served-request.ts';
import { Stopped } from '../server/stopped.ts';
import { rpcErrorCodes, type HttpFault } from '../wire/rpc-answer.ts';
import type { ResolvedEndpointLimits } from './endpoint-limits.ts';
import { createOverloadMonitor } from './overload.ts';
import { createShares, type Shares } from './shares.ts';

/** Who asks for a place, for the handlers. */
interface CallOrigin {
  readonly caller: KnownCaller;
  readonly sourceAddress: string | undefined;
  readonly correlationId: string;
  readonly traceContext?: TraceContext | undefined;
}

/** The calls that run and the streams that are open. */
export interface RunningCalls {
  readonly enter: (method: string, origin: CallOrigin) => Running | HttpFault;
  readonly enterStream: (callerId: string, end: () => void) => OpenPlace | HttpFault;
  readonly count: () => number;
  readonly streams: () => number;
  /** Refuses new calls and streams from now on. */
  readonly stop: () => void;
  /** Ends the open streams. */
  readonly endStreams: () => void;
  /** Waits until no call runs, or `timeoutMs` is over: then those that still run are told. @returns how many */
  readonly drain: (timeoutMs: number) => Promise<number>;
  readonly close: () => void;
}

/** What costs little to give up, as the client asks again. Everything else counts as a call. */
const LISTS: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'completion/complete',
]);
/** What is served however much there is to do: it says how running work is, or ends it. */
const ALWAYS: ReadonlySet<string> = new Set(['ping', 'tasks/get', 'tasks/cancel', 'tasks/result']);

/** What a call's signal tells when the client has cancelled it or is gone. */
class CallCancelled extends Error {
  override readonly name = 'AbortError';
}

/** Keeps the running calls within their limits. */
export function createRunningCalls(limits: ResolvedEndpointLimits): RunningCalls {
  const calls = createShares({ max: limits.maxInFlight, maxPerKey: limits.maxInFlightPerCaller });
  const streams = createShares({ max: limits.maxStreams, maxPerKey: limits.maxStreamsPerCaller });
  const monitor = createOverloadMonitor(limits.maxInFlight);
  const running = new Set<AbortController>();
  const openStreams = new Set<() => void>();
  let isStopped = false;
  let whenIdle: (() => void) | undefined;

  const place = (shares: Shares, key: string): (() => void) | HttpFault => {
    const taken = shares.take(key);
    switch (taken) {
      case 'full':
        return busy();
      case 'share':
        return tooMany();
      default:
        return taken;
    }
  };

  return {
    enter(method, { caller, sourceAddress, correlationId, traceContext }) {
      const isAlways = ALWAYS.has(method);
      if (isStopped && !isAlways) {
        return stopping();
      }
      const load = isAlways ? 'normal' : monitor.load(calls.taken());
      if (load === 'shed_calls' || (load === 'shed_lists' && LISTS.has(method))) {
        return busy();
      }
      const taken = isAlways ? () => undefined : place(calls, caller.id);
      if (typeof taken !== 'function') {
        return taken;
      }
      const controller = new AbortController();
      running.add(controller);
      const { signal } = controller;
      return {
        signal,
        auth: (prepared) =>
          attachOrigin({
            caller,
            transport: 'http',
            sourceAddress,
            correlationId,
            traceContext,
            signal,
            prepared,
          }),
        cancel() {
          // A call that has ended is not told that its client went away afterwards.
          if (running.has(controller)) {
            controller.abort(new CallCancelled('the client cancelled the request'));
          }
        },
        leave() {
          if (running.delete(controller)) {
            taken();
            if (running.size === 0) {
              whenIdle?.();
            }
          }
        },
      };
    },
    enterStream(callerId, end) {
      const taken = isStopped ? stopping() : place(streams, callerId);
      if (typeof taken !== 'function') {
        return taken;
      }
      openStreams.add(end);
      return {
        leave() {
          openStreams.delete(end);
          taken();
        },
      };
    },
    count: () => running.size,
    streams: () => streams.taken(),
    stop() {
      isStopped = true;
    },
    endStreams() {
      for (const end of openStreams) {
        end();
      }
    },
    async drain(timeoutMs) {
      if (running.size === 0) {
        return 0;
      }
      await idle(timeoutMs);
      isStopped = running.size > 0;
      const dropped = running.size;
      for (const controller of running) {
        controller.abort(new Stopped());
      }
      if (dropped > 0) {
        await idle(ABORT_MS);
      }
      return dropped;
    },
    close: () => monitor.close(),
  };

  async function idle(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    whenIdle = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }
}

/** What a call that was told to stop has for its answer. */
const ABORT_MS = 500;

function busy(): HttpFault {
  // Not all at the same moment again.
  const seconds = 1 + Math.floor(Math.random() * 4);
  return {
    status: 503,
    code: rpcErrorCodes.refused,
    message: `The server has too much to do. Nothing was done; try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  };
}

function tooMany(): HttpFault {
  return {
    status: 429,
    code: rpcErrorCodes.refused,
    message: 'You have too many requests open. Nothing was done; wait for one to end, then try again.',
    headers: { 'retry-after': '1' },
  };
}

function stopping(): HttpFault {
  return {
    status: 503,
    code: rpcErrorCodes.refused,
    message: 'This server is stopping. Nothing was done; try again in 1 s.',
    headers: { 'retry-after': '1', connection: 'close' },
  };
}
