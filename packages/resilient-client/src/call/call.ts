import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { ClientError, type Failure } from '../errors/client-error.ts';
import { LeftFlight, type SingleFlight } from '../protection/single-flight.ts';
import { CallLimit } from '../time/deadline.ts';
import { untilAborted } from '../time/stop-signal.ts';
import type { TokenSource } from '../tokens/source.ts';
import type { PreparedCall } from './attempt.ts';
import { runCall, type CallObserver, type CallOutcome, type CallParts } from './attempts.ts';
import { harmless, type CallEndEvent, type ClientEvent } from './events.ts';
import { prepareRequest, type CallRequest, type UntypedInput } from './prepare-request.ts';
import type { Route } from './route.ts';
import type { Telemetry } from './telemetry.ts';

/** What belongs to one call and not to its input. */
export interface CallContext {
  /** Aborting it ends the call, its waits and its socket. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting, in milliseconds since the Unix epoch; the earlier of this and the policy counts. */
  readonly deadlineAt?: number;
  /** For endpoints with `replay: 'key'`: names one intended effect, across calls and restarts. @default a new UUID */
  readonly idempotencyKey?: string;
  /** More request headers. They cannot replace those that the client sets itself. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The token for this call alone, such as one on behalf of its caller. @default the client's own source */
  readonly token?: TokenSource;
  /** Is told how this call ended, as the client's `on` is: for a record of what one request of yours did. */
  readonly onEnd?: (event: CallEndEvent) => void;
}

/** Data of the declared shape, or the error. `attempts` counts requests on the wire. */
export type Result<T> =
  | { readonly ok: true; readonly data: T; readonly status: number; readonly attempts: number }
  | { readonly ok: false; readonly error: ClientError };

/** What all calls of a client share. */
export interface ClientCore {
  readonly name: string;
  readonly token: TokenSource | undefined;
  readonly parts: CallParts;
  readonly emit: ((event: ClientEvent) => void) | undefined;
  /** @throws {TypeError} when another endpoint has the same id */
  readonly routeOf: (endpoint: AnyEndpoint) => Route;
  readonly telemetry: Telemetry;
  readonly flights: SingleFlight<Flown>;
  /** The calls in progress, to be stopped when the client closes. */
  readonly active: Set<CallLimit>;
  isClosed: boolean;
}

interface Flown {
  readonly outcome: CallOutcome;
  readonly attempts: number;
}

/** Runs one call from its input to its result. */
export async function callEndpoint(
  core: ClientCore,
  endpoint: AnyEndpoint,
  input: UntypedInput,
  context: CallContext,
): Promise<Result<unknown>> {
  const { clock } = core.parts;
  const route = core.routeOf(endpoint);
  const { policy } = route;
  const startedAt = clock.monotonicNow();
  const trace = core.telemetry.startCall(endpoint);
  const prepared = prepareRequest(route, input, context);
  if (!prepared.ok) return end({ ok: false, failure: prepared.failure }, 0);

  const inheritedMs = context.deadlineAt === undefined ? Infinity : context.deadlineAt - clock.now();
  const deadlineIsInherited = inheritedMs < policy.deadlineMs;
  const limitMs = deadlineIsInherited ? inheritedMs : policy.deadlineMs;
  const limit = openLimit(core, route, context.signal, startedAt, limitMs);
  try {
    const token = context.token ?? core.token;
    const { request } = prepared;
    const call: PreparedCall = { route, request, limit, deadlineIsInherited, token, trace, attempts: 0 };
    if (endpoint.singleFlight === true) {
      const { outcome, attempts } = await fly(core, call, context);
      return end(outcome, attempts);
    }
    const outcome = await runCall(call, core.parts, observe(core, route));
    return end(outcome, call.attempts);
  } finally {
    closeLimit(core, limit);
  }

  function end(outcome: CallOutcome, attempts: number): Result<unknown> {
    const code = outcome.ok ? 'ok' : outcome.failure.code;
    trace.end(code);
    const event: CallEndEvent = {
      client: core.name,
      endpoint: endpoint.id,
      type: 'call',
      durationMs: clock.monotonicNow() - startedAt,
      attempts,
      outcome: code,
    };
    core.emit?.(event);
    harmless(context.onEnd)?.(event);
    if (outcome.ok) return { ok: true, data: outcome.data, status: outcome.status, attempts };
    return { ok: false, error: errorOf(core, route, context, outcome.failure, attempts) };
  }
}

/** Takes part in a call for the same thing, or makes it for whoever joins. */
async function fly(core: ClientCore, call: PreparedCall, context: CallContext): Promise<Flown> {
  const { route, request, limit, token } = call;
  const { clock } = core.parts;
  try {
    const subject = token && (await untilAborted(token.get({ signal: limit.toAbortSignal() }), limit));
    const key = flightKey(route, request, subject?.value, context);
    return await core.flights.join(key, limit, async (signal) => {
      const { deadlineMs } = route.policy;
      const shared = openLimit(core, route, signal, clock.monotonicNow(), deadlineMs);
      const sharedCall = { ...call, limit: shared, deadlineIsInherited: false, attempts: 0 };
      try {
        const outcome = await runCall(sharedCall, core.parts, observe(core, route));
        return { outcome, attempts: sharedCall.attempts };
      } finally {
        closeLimit(core, shared);
      }
    });
  } catch (cause) {
    if (cause instanceof LeftFlight) {
      return { outcome: { ok: false, failure: { code: cause.code, sent: 'maybe', cause } }, attempts: 0 };
    }
    // No token to be had: the call alone finds the words for that.
    return { outcome: await runCall(call, core.parts, observe(core, route)), attempts: call.attempts };
  }
}

/** Everything an answer may depend on. The token stands for its subject: answers must not pass between callers. */
function flightKey(
  { endpoint }: Route,
  { path }: CallRequest,
  token: string | undefined,
  { headers = {} }: CallContext,
): string {
  return JSON.stringify([endpoint.id, path, token, headers]);
}

function openLimit(
  { parts: { clock }, active, isClosed }: ClientCore,
  { policy }: Route,
  parent: AbortSignal,
  now: number,
  limitMs: number,
): CallLimit {
  const limit = new CallLimit({ parent, now, limitMs, wakeMs: policy.attemptTimeoutMs, clock });
  active.add(limit);
  if (isClosed) limit.stop('cancelled');
  return limit;
}

function closeLimit({ active }: ClientCore, limit: CallLimit): void {
  limit.release();
  active.delete(limit);
}

/** Puts the names of client and endpoint to what happens within a call. */
function observe({ name: client, emit }: ClientCore, { endpoint: { id: endpoint } }: Route): CallObserver {
  if (emit === undefined) return SILENT;
  return {
    onAttempt(attempt, durationMs, outcome) {
      const labels = { client, endpoint, type: 'attempt', attempt, durationMs } as const;
      emit(typeof outcome === 'number' ? { ...labels, status: outcome } : { ...labels, code: outcome });
    },
    emit: (event) => emit({ client, endpoint, ...event }),
  };
}

const SILENT: CallObserver = { onAttempt() {}, emit() {} };

function errorOf(
  { name: service }: ClientCore,
  { endpoint, replay }: Route,
  { idempotencyKey }: CallContext,
  failure: Failure,
  attempts: number,
): ClientError {
  const { id, method, explain } = endpoint;
  // A key that the client made up is gone with the call; only the caller's own comes back with the next one.
  const isRepeatable =
    method === 'GET' ||
    method === 'HEAD' ||
    replay === 'idempotent' ||
    (replay === 'key' && idempotencyKey !== undefined);
  return new ClientError(failure, { service, endpoint: id, attempts, isRepeatable, explain });
}
