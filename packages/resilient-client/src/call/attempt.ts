import { ClientError } from '../errors/client-error.ts';
import type { ClientErrorCode, Failure } from '../errors/failure.ts';
import type { Transport, WireOutcome, WireResponse } from '../http/wire.ts';
import type { Bulkhead } from '../protection/bulkhead.ts';
import type { Verdict } from '../protection/circuit-breaker.ts';
import type { Clock } from '../time/clock.ts';
import type { AttemptLimit, CallLimit } from '../time/deadline.ts';
import { stopCodeOf, untilAborted } from '../time/stop-signal.ts';
import type { AccessToken, TokenSource } from '../tokens/source.ts';
import type { CallRequest } from './prepare-request.ts';
import type { Route } from './route.ts';
import type { CallTrace } from './telemetry.ts';

/** A call whose input has been checked and written out. */
export interface PreparedCall {
  readonly route: Route;
  readonly request: CallRequest;
  readonly limit: CallLimit;
  readonly deadlineIsInherited: boolean;
  readonly token: TokenSource | undefined;
  /** Whom a 429 holds back: the subject of a call's own token, or undefined for all that use the client's. */
  readonly caller: unknown;
  readonly trace: CallTrace;
  /** Requests on the wire so far, counted as they begin. */
  attempts: number;
}

/** What an attempt works with; the same for every call of a client. */
export interface AttemptParts {
  readonly transport: Transport;
  readonly bulkhead: Bulkhead;
  readonly clock: Clock;
  /** The name of the header that tells the time left, if one was asked for. */
  readonly deadlineHeader: string | undefined;
}

/** Is told what an attempt came to. */
export type OnAttempt = (attempt: number, durationMs: number, outcome: number | ClientErrorCode) => void;

/** What one request brought: a complete response of any status, none, or nothing because the circuit shed it. */
export type AttemptResult =
  | { readonly kind: 'response'; readonly response: WireResponse; readonly token: AccessToken | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'shed' };

/** Token, place, circuit, wire. The limit's own time starts with the wire: a wait is under the call's deadline alone. */
export async function runAttempt(
  call: PreparedCall,
  parts: AttemptParts,
  limit: AttemptLimit,
  onAttempt: OnAttempt,
): Promise<AttemptResult> {
  const { breaker } = call.route.protection;
  const { bulkhead } = parts;
  try {
    let token: AccessToken | undefined;
    if (call.token !== undefined) {
      try {
        // A source that ignores its signal must not hold the call beyond its deadline.
        token = await untilAborted(call.token.get({ signal: limit.toAbortSignal() }), limit);
      } catch (cause) {
        if (limit.aborted) {
          return stopped(limit);
        }
        const { isRetryable: isTransient, retryAfterMs } =
          cause instanceof ClientError ? cause : { isRetryable: true };
        return failed({ code: 'unauthenticated', sent: 'no', isTransient, retryAfterMs, cause });
      }
    }
    if (limit.aborted) {
      return stopped(limit);
    }
    // The queue is outside the breaker, which must not take our own crowd for the upstream's illness.
    if (!bulkhead.tryEnter()) {
      const entry = await bulkhead.enter(limit);
      if (entry === 'full') {
        return failed({ code: 'overloaded', sent: 'no' });
      }
      if (entry === 'stopped') {
        return stopped(limit);
      }
    }
    try {
      const result = await breaker.run(
        () => send(call, parts, limit, token, onAttempt),
        (result) => judge(result, call.deadlineIsInherited),
      );
      return result ?? SHED;
    } finally {
      bulkhead.leave();
    }
  } finally {
    limit.release();
  }
}

async function send(
  call: PreparedCall,
  { transport, clock, deadlineHeader }: AttemptParts,
  limit: AttemptLimit,
  token: AccessToken | undefined,
  onAttempt: OnAttempt,
): Promise<AttemptResult> {
  const { origin, path, method, body } = call.request;
  const { attemptTimeoutMs, maxResponseBytes } = call.route.policy;
  const startedAt = clock.monotonicNow();
  limit.start(startedAt, attemptTimeoutMs);
  const attempt = ++call.attempts;
  const headers: Record<string, string> = { ...call.request.headers };
  if (token !== undefined) {
    headers['authorization'] = `Bearer ${token.value}`;
  }
  if (deadlineHeader !== undefined) {
    headers[deadlineHeader] = String(Math.max(0, Math.floor(call.limit.deadline - startedAt)));
  }
  // Without the query, which may hold what no trace should.
  const span = call.trace.startAttempt(attempt, origin + path.replace(/\?.*/, ''), headers);
  const outcome = await transport.send({
    origin,
    path,
    method,
    headers,
    body,
    maxResponseBytes,
    signal: limit,
  });
  const durationMs = clock.monotonicNow() - startedAt;
  const result = toResult(outcome, limit, token);
  const label = result.kind === 'response' ? result.response.status : result.failure.code;
  if (typeof label === 'number' && label < 500) {
    call.route.latencies?.add(durationMs);
  }
  call.trace.endAttempt(span, label);
  onAttempt(attempt, durationMs, label);
  return result;
}

function toResult(
  outcome: WireOutcome,
  limit: AttemptLimit,
  token: AccessToken | undefined,
): Exclude<AttemptResult, { kind: 'shed' }> {
  switch (outcome.kind) {
    case 'response':
      return { kind: 'response', response: outcome, token };
    case 'too_large':
      return failed({ code: 'response_too_large', sent: 'yes', status: outcome.status });
    case 'lost': {
      const code = limit.aborted ? stopCodeOf(limit) : 'network';
      return failed({ code, sent: outcome.sent, cause: outcome.cause });
    }
    default:
      return outcome satisfies never;
  }
}

const SHED: AttemptResult = { kind: 'shed' };

function failed(failure: Failure): Extract<AttemptResult, { kind: 'failed' }> {
  return { kind: 'failed', failure };
}

function stopped(limit: AttemptLimit): AttemptResult {
  return failed({ code: stopCodeOf(limit), sent: 'no' });
}

/** What an attempt says about the upstream's health: a response below 500 is health, whatever it says. */
function judge(result: AttemptResult, deadlineIsInherited: boolean): Verdict {
  if (result.kind === 'shed') {
    return 'neutral';
  }
  if (result.kind === 'response') {
    const { status } = result.response;
    if (status === 429) {
      return 'neutral';
    }
    return status >= 500 && status !== 501 ? 'failure' : 'success';
  }
  const { code, cause } = result.failure;
  // What undici refuses to send, such as a header it does not allow, is the caller's doing.
  if (code === 'cancelled' || (isErrno(cause) && REFUSED_HERE.has(cause.code))) {
    return 'neutral';
  }
  // A caller in a hurry proves nothing; an upstream that outlasts our own deadline does.
  if (code === 'deadline_exceeded') {
    return deadlineIsInherited ? 'neutral' : 'failure';
  }
  return code === 'response_too_large' ? 'success' : 'failure';
}

const REFUSED_HERE: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

function isErrno(value: unknown): value is Error & { readonly code: string } {
  return value instanceof Error && 'code' in value && typeof value.code === 'string';
}
