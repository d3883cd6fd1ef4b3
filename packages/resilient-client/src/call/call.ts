import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { ClientError } from '../errors/client-error.ts';
import type { Failure } from '../errors/failure.ts';
import { CallerStopped, type SingleFlight } from '../protection/single-flight.ts';
import { CallLimit } from '../time/deadline.ts';
import { untilAborted } from '../time/stop-signal.ts';
import type { TokenSource } from '../tokens/source.ts';
import { PreparedCall } from './attempt.ts';
import { runAttempts, type CallObserver, type CallOutcome, type CallParts } from './attempts.ts';
import { namedCaller } from './caller.ts';
import { ignoreErrorsOf, type CallEndEvent, type ClientEvent } from './events.ts';
import { prepareRequest, type CallRequest, type UntypedInput } from './prepare-request.ts';
import type { Route } from './route.ts';
import type { ClientTelemetry } from './telemetry.ts';

/** What belongs to one call and not to its input. */
export interface CallOptions {
  /** Aborting it ends the call, its waits and its socket. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting, in milliseconds since the Unix epoch; the earlier of this and the policy counts. */
  readonly deadlineAt?: number | undefined;
  /** For endpoints with `replay: 'key'`: names one intended effect, across calls and restarts. @default a new UUID */
  readonly idempotencyKey?: string | undefined;
  /** More request headers. They cannot replace those that the client sets itself. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The token for this call alone, such as one on behalf of its caller. @default the client's own source */
  readonly token?: TokenSource | undefined;
  /**
   * Names whom the call is for, so that neither a 429 to them nor failures of theirs alone keep other callers away.
   * @default whom the headers name (`X-User`, `Authorization`, `X-Api-Key` and their like) and the token's principal
   */
  readonly caller?: string | undefined;
  /** Is told how this call ended, as the client's `on` is: for a record of what one request of yours did. */
  readonly onEnd?: ((event: CallEndEvent) => void) | undefined;
}

/** Data of the declared shape, or the error. `attempts` counts requests on the wire. */
export type Result<T> =
  | { readonly ok: true; readonly data: T; readonly status: number; readonly attempts: number }
  | { readonly ok: false; readonly error: ClientError };

/** What all calls of a client share. */
export interface ClientCore {
  readonly name: string;
  readonly token: TokenSource | undefined;
  /** Whether tokens are safe on the way to the upstream, or somebody said that they may go in cleartext. */
  readonly mayCarryCredentials: boolean;
  readonly parts: CallParts;
  /** Tells whoever measures, and whoever listens. */
  readonly emit: (event: ClientEvent) => void;
  /** Whether anybody listens to each attempt. */
  readonly hasListener: boolean;
  /** @throws {TypeError} when another endpoint has the same id */
  readonly routeOf: (endpoint: AnyEndpoint) => Route;
  readonly telemetry: ClientTelemetry;
  readonly singleFlight: SingleFlight<SharedOutcome>;
  /** The calls in progress, to be stopped when the client closes. */
  readonly active: Set<CallLimit>;
  isClosed: boolean;
}

interface SharedOutcome {
  readonly outcome: CallOutcome;
  readonly attempts: number;
}

/** Runs one call from its input to its result. */
export async function callEndpoint(
  core: ClientCore,
  endpoint: AnyEndpoint,
  input: UntypedInput,
  context: CallOptions,
): Promise<Result<unknown>> {
  const { clock } = core.parts;
  const route = core.routeOf(endpoint);
  if (context.token !== undefined && !core.mayCarryCredentials) {
    throw new TypeError('token needs a baseUrl with https; allowCleartextCredentials allows it without');
  }
  const { policy } = route;
  const startedAt = clock.monotonicNow();
  const trace = core.telemetry.startCall(endpoint);
  const prepared = prepareRequest(route, input, context, core.mayCarryCredentials);
  if (!prepared.ok) {
    return end({ ok: false, failure: prepared.failure }, 0);
  }

  const inheritedMs = context.deadlineAt === undefined ? Infinity : context.deadlineAt - clock.now();
  const deadlineIsInherited = inheritedMs < policy.deadlineMs;
  const limitMs = deadlineIsInherited ? inheritedMs : policy.deadlineMs;
  const limit = startLimit(core, route, context.signal, startedAt, limitMs);
  try {
    const call = new PreparedCall({
      route,
      request: prepared.request,
      limit,
      deadlineIsInherited,
      token: context.token ?? core.token,
      hasOwnToken: context.token !== undefined,
      named: namedCaller(context),
      trace,
    });
    if (endpoint.singleFlight === true) {
      const { outcome, attempts } = await shareCall(core, call, context);
      return end(outcome, attempts);
    }
    const outcome = await runAttempts(call, core.parts, observe(core, route));
    return end(outcome, call.attempts);
  } finally {
    endLimit(core, limit);
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
    core.emit(event);
    ignoreErrorsOf(context.onEnd)?.(event);
    if (outcome.ok) {
      return { ok: true, data: outcome.data, status: outcome.status, attempts };
    }
    return { ok: false, error: errorOf(core, route, context, outcome.failure, attempts) };
  }
}

/** Takes part in a call for the same thing, or makes it for whoever joins. */
async function shareCall(core: ClientCore, call: PreparedCall, context: CallOptions): Promise<SharedOutcome> {
  const { route, request, limit, token } = call.input;
  const { clock } = core.parts;
  try {
    const subject = token && (await untilAborted(token.get(limit), limit));
    const key = sharingKey(route, request, subject?.value, context);
    return await core.singleFlight.join(key, limit, async (signal) => {
      const { deadlineMs } = route.policy;
      const shared = startLimit(core, route, signal, clock.monotonicNow(), deadlineMs);
      const sharedCall = new PreparedCall({ ...call.input, limit: shared, deadlineIsInherited: false });
      try {
        const outcome = await runAttempts(sharedCall, core.parts, observe(core, route));
        return { outcome, attempts: sharedCall.attempts };
      } finally {
        endLimit(core, shared);
      }
    });
  } catch (cause) {
    if (cause instanceof CallerStopped) {
      return { outcome: { ok: false, failure: { code: cause.code, sent: 'maybe', cause } }, attempts: 0 };
    }
    // No token to be had: the call alone finds the words for that.
    return { outcome: await runAttempts(call, core.parts, observe(core, route)), attempts: call.attempts };
  }
}

/** Everything a response may depend on. The token stands for its subject: responses must not pass between callers. */
function sharingKey(
  { endpoint }: Route,
  { path }: CallRequest,
  token: string | undefined,
  { headers = {} }: CallOptions,
): string {
  return JSON.stringify([endpoint.id, path, token, headers]);
}

function startLimit(
  { parts: { clock }, active, isClosed }: ClientCore,
  { policy }: Route,
  parent: AbortSignal,
  now: number,
  limitMs: number,
): CallLimit {
  const limit = new CallLimit({ parent, now, limitMs, wakeMs: policy.attemptTimeoutMs, clock });
  active.add(limit);
  if (isClosed) {
    limit.stop('cancelled');
  }
  return limit;
}

function endLimit({ active }: ClientCore, limit: CallLimit): void {
  limit.release();
  active.delete(limit);
}

/** Puts the names of client and endpoint to what happens within a call. */
function observe(
  { name: client, emit, hasListener }: ClientCore,
  { endpoint: { id: endpoint, method } }: Route,
): CallObserver {
  return {
    onAttempt(attempt, durationMs, outcome) {
      if (!hasListener) {
        return;
      }
      const labels = { client, endpoint, type: 'attempt', method, attempt, durationMs } as const;
      emit(typeof outcome === 'number' ? { ...labels, status: outcome } : { ...labels, code: outcome });
    },
    emit: (event) => emit({ client, endpoint, ...event }),
  };
}

function errorOf(
  { name: upstream }: ClientCore,
  { endpoint, replay }: Route,
  { idempotencyKey }: CallOptions,
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
  return new ClientError(failure, { upstream, endpoint: id, attempts, isRepeatable, explain });
}
