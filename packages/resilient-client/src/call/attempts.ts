import { ClientError } from '../errors/client-error.ts';
import type { Failure } from '../errors/failure.ts';
import { hedge } from '../protection/hedge.ts';
import { sleep } from '../time/clock.ts';
import { stopCodeOf, untilAborted } from '../time/stop-signal.ts';
import {
  runAttempt,
  type AttemptParts,
  type AttemptResult,
  type OnAttempt,
  type PreparedCall,
} from './attempt.ts';
import type { ClientEvent } from './events.ts';
import { judgeCall } from './judge.ts';
import { readResponse } from './read-response.ts';
import { fittingDelayMs, isReplayable, planRetry, shedsForMs, type RetryParts } from './retry-plan.ts';

/** What a call works with. */
export type CallParts = AttemptParts & RetryParts;

/** Is told what happens within a call, without the names that the client adds. */
export interface CallObserver {
  readonly onAttempt: OnAttempt;
  readonly emit: (event: CallEvent) => void;
}

type CallEvent = EventOf<'retry'> | EventOf<'retry_denied'> | EventOf<'hedge'>;
type EventOf<Type extends ClientEvent['type']> = Omit<
  Extract<ClientEvent, { type: Type }>,
  'client' | 'endpoint'
>;

/** How a call ended. */
export type CallOutcome =
  | { readonly ok: true; readonly data: unknown; readonly status: number }
  | { readonly ok: false; readonly failure: Failure };

/** Runs a call to its end, and tells the circuit once how it went: its retries are no further evidence. */
export async function runAttempts(
  call: PreparedCall,
  parts: CallParts,
  observer: CallObserver,
): Promise<CallOutcome> {
  let outcome: CallOutcome | undefined;
  try {
    outcome = await repeat(call, parts, observer);
    return outcome;
  } finally {
    // Undefined after a mistake of ours, which says nothing either.
    await call.passage?.end(outcome === undefined ? 'neutral' : verdictOn(call, outcome), isSlow(call));
  }
}

function verdictOn({ input: { route }, evidence, attempts, slowestMs }: PreparedCall, outcome: CallOutcome) {
  const { isFailure } = route.policy.breaker;
  if (outcome.ok && isFailure === undefined) {
    return evidence ?? 'neutral';
  }
  const failure = outcome.ok ? undefined : outcome.failure;
  return judgeCall(
    {
      code: failure?.code,
      status: outcome.ok ? outcome.status : failure?.status,
      sent: failure?.sent ?? 'yes',
      data: outcome.ok ? outcome.data : undefined,
      problem: failure?.problem,
      attempts,
      slowestMs,
    },
    evidence,
    isFailure,
  );
}

function isSlow({ input: { route }, slowestMs }: PreparedCall): boolean {
  const { rate } = route.policy.breaker;
  return rate !== false && rate.slowCallMs !== undefined && slowestMs > rate.slowCallMs;
}

/** Circuit, token, gate, attempt, response; again while that is safe, useful, affordable, and fits into the deadline. */
async function repeat(call: PreparedCall, parts: CallParts, observer: CallObserver): Promise<CallOutcome> {
  const { limit, route, token } = call.input;
  const { circuit, throttle } = route.protection;
  const { clock } = parts;
  let retries = 0;
  let refused: { readonly token: string; readonly failure: Failure } | undefined;
  let last: Failure | undefined;
  // Whether an attempt before the last may have done its work.
  let isUncertain = false;

  const fail = (failure: Failure): CallOutcome => ({
    ok: false,
    failure: isUncertain ? { ...failure, sent: 'maybe' } : failure,
  });

  for (;;) {
    const shedForMs = shedsForMs(call);
    // When an attempt failed before, its failure is the news, not the circuit that others opened.
    if (shedForMs !== undefined) {
      return fail(last ?? circuitOpen(shedForMs));
    }
    if (token !== undefined) {
      const failure = await takeToken(call, token);
      if (failure !== undefined) {
        return fail(failure);
      }
      // There is no fresh one: the same would be refused in the same way.
      if (refused !== undefined && call.token === refused.token) {
        return fail(refused.failure);
      }
    }
    // After the token, which may say whose call this is.
    const waitMs = throttle.remainingMs(clock.monotonicNow(), call.caller);
    if (waitMs > 0) {
      const delayMs = fittingDelayMs(waitMs, 1, call, parts);
      if (delayMs === undefined) {
        return fail(last ?? throttled(waitMs));
      }
      await sleep(delayMs, limit, clock);
      if (limit.aborted) {
        return fail({ code: stopCodeOf(limit), sent: 'no' });
      }
    }
    const result = await attemptOrHedge(call, parts, observer);
    if (result.kind === 'shed') {
      return fail(last ?? circuitOpen(circuit.shedsForMs(call.namedCaller) ?? 0));
    }

    let failure: Failure;
    if (result.kind === 'failed') {
      failure = result.failure;
    } else {
      const read = readResponse(result.response, route.endpoint, clock);
      if (read.ok) {
        return { ok: true, data: read.data, status: result.response.status };
      }
      failure = read.failure;
      if (failure.code === 'unauthenticated' && call.token !== undefined && refused === undefined) {
        // A 401 is a response given before any work, so one replay with a fresh token is safe under every rule.
        refused = { token: call.token, failure };
        token?.invalidate(call.token);
        continue;
      }
      holdBack(failure, call, parts);
    }

    if (retries >= route.policy.retry.maxRetries || !isReplayable(failure, call)) {
      return fail(failure);
    }
    const next = planRetry(failure, retries + 1, call, parts);
    if (typeof next === 'string') {
      observer.emit({ type: 'retry_denied', by: next, code: failure.code });
      return fail(failure);
    }
    retries += 1;
    last = failure;
    isUncertain ||= failure.sent !== 'no' && failure.code !== 'throttled';
    observer.emit({ type: 'retry', attempt: call.attempts + 1, delayMs: next, code: failure.code });
    await sleep(next, limit, clock);
    if (limit.aborted) {
      return fail({ code: stopCodeOf(limit), sent: 'no' });
    }
  }
}

/** Puts a token into the call, or says why there is none. */
async function takeToken(call: PreparedCall, source: NonNullable<PreparedCall['input']['token']>) {
  const { limit } = call.input;
  try {
    // A source that ignores its signal must not hold the call beyond its deadline.
    call.token = (await untilAborted(source.get(limit), limit)).value;
    return undefined;
  } catch (cause) {
    if (limit.aborted) {
      return { code: stopCodeOf(limit), sent: 'no' } as const;
    }
    const { isRetryable: isTransient, retryAfterMs } =
      cause instanceof ClientError ? cause : { isRetryable: true };
    return { code: 'unauthenticated', sent: 'no', isTransient, retryAfterMs, cause } as const;
  }
}

/** A 429 was said to a caller. A Retry-After with a 5xx is about the server, and for everybody (RFC 9110 §15.6.4). */
function holdBack({ status = 0, retryAfterMs = 0 }: Failure, call: PreparedCall, { clock }: CallParts): void {
  const { policy, protection } = call.input.route;
  // No longer than an open circuit: nobody would notice that a wrong header has gone.
  const heldBackMs = Math.min(retryAfterMs, policy.breaker.openMs);
  if (heldBackMs <= 0) {
    return;
  }
  if (status === 429) {
    protection.throttle.holdBack(clock.monotonicNow(), heldBackMs, call.caller());
  } else if (status >= 500) {
    protection.throttle.holdBackAll(clock.monotonicNow(), heldBackMs);
  }
}

/** One attempt, or two when the first is slow and the endpoint's policy says so. */
function attemptOrHedge(
  call: PreparedCall,
  parts: CallParts,
  observer: CallObserver,
): Promise<AttemptResult> {
  const { limit: callLimit } = call.input;
  const delayMs = hedgeDelayMs(call);
  if (delayMs === undefined) {
    return runAttempt(call, parts, callLimit.attempt(), observer.onAttempt);
  }
  const start = () => {
    const limit = callLimit.attempt();
    const result = runAttempt(call, parts, limit, observer.onAttempt);
    return { result, stop: () => limit.stop('cancelled') };
  };
  return hedge({
    start,
    startSecond() {
      // Never from the queue, beside a probe, or into a circuit that opened: a hedge is for a slow response, not for load.
      if (call.attempts === 0 || parts.bulkhead.free() === 0 || call.passage?.isProbe === true) {
        return undefined;
      }
      if (shedsForMs(call) !== undefined || !parts.budget.take(parts.clock.monotonicNow())) {
        return undefined;
      }
      observer.emit({ type: 'hedge', afterMs: delayMs });
      return start();
    },
    delayMs,
    isGood: (result) =>
      result.kind === 'response' && result.response.status < 500 && result.response.status !== 429,
    clock: parts.clock,
  });
}

function hedgeDelayMs({ input: { route } }: PreparedCall): number | undefined {
  const { endpoint, policy, latencies } = route;
  if (policy.hedge === false || endpoint.method !== 'GET') {
    return undefined;
  }
  return 'afterMs' in policy.hedge
    ? policy.hedge.afterMs
    : latencies?.percentile(policy.hedge.afterPercentile);
}

function circuitOpen(retryInMs: number): Failure {
  // One that somebody isolated opens when somebody says so.
  const retryAfterMs = Number.isFinite(retryInMs) ? retryInMs : undefined;
  return { code: 'circuit_open', sent: 'no', retryAfterMs };
}

function throttled(retryAfterMs: number): Failure {
  return { code: 'throttled', sent: 'no', retryAfterMs };
}
