import { readAnswer } from './answer.ts';
import { judgeAttempt, sendAttempt, type AttemptResult } from './attempt.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { ClientError, type Failure } from './client-error.ts';
import { sleep, type Clock } from './clock.ts';
import { replayOf, type AnyEndpoint } from './endpoint.ts';
import type { ClientEvent } from './events.ts';
import type { Policy } from './policy.ts';
import { backoffDelayMs, isReplayableLoss, isReplayableStatus } from './retry.ts';
import { stopCodeOf } from './time-limit.ts';
import type { AccessToken, TokenSource } from './token-source.ts';
import type { Transport, WireRequest } from './transport.ts';

/** A call whose input has been checked and written out; nothing in it changes from attempt to attempt. */
export interface PreparedCall {
  readonly endpoint: AnyEndpoint;
  readonly request: Omit<WireRequest, 'signal' | 'maxResponseBytes'>;
  /** Aborts with the caller's cancellation, the deadline, or the client's end. */
  readonly signal: AbortSignal;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly deadlineIsInherited: boolean;
}

/** What a call works with. */
export interface CallParts {
  readonly transport: Transport;
  readonly breaker: CircuitBreaker;
  readonly token: TokenSource | undefined;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: AttemptEvent) => void;
}

/** An event without the names that the client adds. */
export type AttemptEvent =
  | Omit<Extract<ClientEvent, { type: 'attempt' }>, 'client' | 'endpoint'>
  | Omit<Extract<ClientEvent, { type: 'retry' }>, 'client' | 'endpoint'>;

/** How a call ended. */
export type CallOutcome = { readonly attempts: number } & (
  | { readonly ok: true; readonly data: unknown; readonly status: number }
  | { readonly ok: false; readonly failure: Failure }
);

/**
 * Circuit, token, attempt, answer; again while that is safe, useful, and fits into the deadline. The retry is outside
 * the breaker, so every attempt is judged, and never goes into a circuit that its own failures opened.
 */
export async function runCall(call: PreparedCall, parts: CallParts): Promise<CallOutcome> {
  const { transport, breaker, policy, clock, emit } = parts;
  let attempts = 0;
  let retries = 0;
  let hasReplayedAfter401 = false;
  let last: Failure | undefined;
  // Whether an attempt before the last may have done its work.
  let isUncertain = false;

  const fail = (failure: Failure): CallOutcome => ({
    ok: false,
    attempts,
    failure: isUncertain ? { ...failure, sent: 'maybe' } : failure,
  });

  for (;;) {
    const shedForMs = breaker.shedsForMs();
    // When an attempt failed before, its failure is the news, not the circuit it opened.
    if (shedForMs !== undefined) return fail(last ?? circuitOpen(shedForMs));

    const token = await obtainToken(parts.token, call.signal);
    if (token !== undefined && 'code' in token) return fail(token);
    if (call.signal.aborted) return fail({ code: stopCodeOf(call.signal), sent: 'no' });

    const result = await breaker.run(
      async () => {
        attempts += 1;
        const startedAt = clock.monotonicNow();
        const sent = await sendAttempt(transport, authorized(call.request, token), {
          callSignal: call.signal,
          policy,
          clock,
        });
        emit({
          type: 'attempt',
          attempt: attempts,
          durationMs: clock.monotonicNow() - startedAt,
          ...labelsOf(sent),
        });
        return sent;
      },
      (result) => judgeAttempt(result, call.deadlineIsInherited),
    );
    if (result === undefined) return fail(last ?? circuitOpen(breaker.shedsForMs() ?? 0));

    let failure: Failure;
    if (result.kind === 'failed') {
      failure = result.failure;
    } else {
      const read = readAnswer(result.answer, call.endpoint, clock.now());
      if (read.ok) return { ok: true, attempts, data: read.data, status: result.answer.status };
      failure = read.failure;
    }

    if (failure.code === 'unauthenticated' && token !== undefined && !hasReplayedAfter401) {
      // A 401 is an answer given before any work, so one replay with a fresh token is safe under every rule.
      hasReplayedAfter401 = true;
      parts.token?.reject(token.value);
      continue;
    }

    const delayMs = retryDelayMs(failure, retries + 1, call, parts);
    if (delayMs === undefined) return fail(failure);
    retries += 1;
    last = failure;
    isUncertain ||= failure.sent !== 'no' && failure.code !== 'throttled';
    emit({ type: 'retry', attempt: attempts + 1, delayMs, code: failure.code });
    await sleep(delayMs, call.signal, clock);
    if (call.signal.aborted) return fail({ code: stopCodeOf(call.signal), sent: 'no' });
  }
}

/** The wait before the next attempt, or undefined when there must be none. */
function retryDelayMs(
  failure: Failure,
  retry: number,
  call: PreparedCall,
  { policy, breaker, clock, random }: CallParts,
): number | undefined {
  if (retry > policy.retry.maxRetries || !isReplayable(failure, call.endpoint)) return undefined;
  if (breaker.shedsForMs() !== undefined) return undefined;
  const { retryAfterMs = 0 } = failure;
  if (retryAfterMs > policy.retry.maxRetryAfterMs) return undefined;
  // The jitter comes on top of Retry-After, or everyone who was sent away would return at the same instant.
  const delayMs = retryAfterMs + backoffDelayMs(retry, policy.retry, random);
  return delayMs < call.deadline - clock.monotonicNow() ? delayMs : undefined;
}

function isReplayable({ code, sent, status }: Failure, endpoint: AnyEndpoint): boolean {
  const replay = replayOf(endpoint);
  if (code === 'network' || code === 'timeout') return isReplayableLoss(sent, replay);
  return (code === 'server_error' || code === 'throttled' || code === 'rejected') && status !== undefined
    ? isReplayableStatus(status, replay)
    : false;
}

/** A token, the failure to get one, or undefined when the client has no source. */
async function obtainToken(
  source: TokenSource | undefined,
  signal: AbortSignal,
): Promise<AccessToken | Failure | undefined> {
  if (source === undefined) return undefined;
  try {
    return await source.get({ signal });
  } catch (cause) {
    if (signal.aborted) return { code: stopCodeOf(signal), sent: 'no' };
    const isTransient = cause instanceof ClientError ? cause.isRetryable : true;
    return { code: 'unauthenticated', sent: 'no', isTransient, cause };
  }
}

function authorized(
  request: PreparedCall['request'],
  token: AccessToken | undefined,
): PreparedCall['request'] {
  if (token === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token.value}` } };
}

function labelsOf(
  result: AttemptResult,
): Pick<Extract<AttemptEvent, { type: 'attempt' }>, 'status' | 'code'> {
  return result.kind === 'answered' ? { status: result.answer.status } : { code: result.failure.code };
}

function circuitOpen(retryAfterMs: number): Failure {
  return { code: 'circuit_open', sent: 'no', retryAfterMs };
}
