import type { Failure } from '../errors/failure.ts';
import { backoffDelayMs } from '../protection/backoff.ts';
import { hedge } from '../protection/hedge.ts';
import { isReplayableLoss, isReplayableStatus } from '../protection/replay.ts';
import type { RetryBudget } from '../protection/retry-budget.ts';
import { sleep } from '../time/clock.ts';
import { stopCodeOf } from '../time/stop-signal.ts';
import {
  runAttempt,
  type AttemptParts,
  type AttemptResult,
  type OnAttempt,
  type PreparedCall,
} from './attempt.ts';
import type { ClientEvent } from './events.ts';
import { readResponse } from './read-response.ts';

/** What a call works with. */
export interface CallParts extends AttemptParts {
  readonly budget: RetryBudget;
  readonly random: () => number;
}

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

/**
 * Throttle, circuit, attempt, response; again while that is safe, useful, affordable, and fits into the deadline. The retry is
 * outside the breaker, so every attempt is judged, and never goes into a circuit that its own failures opened.
 */
export async function runAttempts(
  call: PreparedCall,
  parts: CallParts,
  observer: CallObserver,
): Promise<CallOutcome> {
  const { limit, route } = call;
  const { breaker, throttle } = route.protection;
  const { clock, budget } = parts;
  let retries = 0;
  let hasReplayedAfter401 = false;
  let last: Failure | undefined;
  // Whether an attempt before the last may have done its work.
  let isUncertain = false;

  const fail = (failure: Failure): CallOutcome => ({
    ok: false,
    failure: isUncertain ? { ...failure, sent: 'maybe' } : failure,
  });

  for (;;) {
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
    const shedForMs = breaker.shedsForMs();
    // When an attempt failed before, its failure is the news, not the circuit it opened.
    if (shedForMs !== undefined) {
      return fail(last ?? circuitOpen(shedForMs));
    }

    // What the circuit sheds is no load, and must not pay for the retries of others.
    if (call.attempts === 0) {
      budget.onCall(clock.monotonicNow());
    }
    const result = await attemptOrHedge(call, parts, observer);
    if (result.kind === 'shed') {
      return fail(last ?? circuitOpen(breaker.shedsForMs() ?? 0));
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
      if (failure.code === 'unauthenticated' && result.token !== undefined && !hasReplayedAfter401) {
        // A 401 is a response given before any work, so one replay with a fresh token is safe under every rule.
        hasReplayedAfter401 = true;
        call.token?.invalidate(result.token.value);
        continue;
      }
      if (failure.status === 429) {
        // No longer than an open circuit: nobody would notice that a wrong header has gone.
        const heldBackMs = Math.min(failure.retryAfterMs ?? 0, route.policy.breaker.openMs);
        throttle.holdBack(clock.monotonicNow(), heldBackMs, call.caller);
      }
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

/** One attempt, or two when the first is slow and the endpoint's policy says so. */
function attemptOrHedge(
  call: PreparedCall,
  parts: CallParts,
  observer: CallObserver,
): Promise<AttemptResult> {
  const { route } = call;
  const delayMs = hedgeDelayMs(call);
  if (delayMs === undefined) {
    return runAttempt(call, parts, call.limit.attempt(), observer.onAttempt);
  }
  const start = () => {
    const limit = call.limit.attempt();
    const result = runAttempt(call, parts, limit, observer.onAttempt);
    return { result, stop: () => limit.stop('cancelled') };
  };
  return hedge({
    start,
    startSecond() {
      // Never from the queue, or into a circuit that opened meanwhile: a hedge is for a slow response, not for load.
      if (call.attempts === 0 || parts.bulkhead.free() === 0) {
        return undefined;
      }
      if (route.protection.breaker.shedsForMs() !== undefined) {
        return undefined;
      }
      if (!parts.budget.take(parts.clock.monotonicNow())) {
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

function hedgeDelayMs({ route: { endpoint, policy, latencies } }: PreparedCall): number | undefined {
  if (policy.hedge === false || endpoint.method !== 'GET') {
    return undefined;
  }
  return 'afterMs' in policy.hedge
    ? policy.hedge.afterMs
    : latencies?.percentile(policy.hedge.afterPercentile);
}

/** The wait before the next attempt, or what forbids it. Taking from the budget comes last: what is not used is not spent. */
function planRetry(
  failure: Failure,
  retry: number,
  call: PreparedCall,
  parts: CallParts,
): number | 'circuit' | 'deadline' | 'budget' {
  if (call.route.protection.breaker.shedsForMs() !== undefined) {
    return 'circuit';
  }
  const delayMs = fittingDelayMs(failure.retryAfterMs ?? 0, retry, call, parts);
  if (delayMs === undefined) {
    return 'deadline';
  }
  return parts.budget.take(parts.clock.monotonicNow()) ? delayMs : 'budget';
}

/** A wait of at least `minMs`, with jitter; undefined when it is longer than the policy or the deadline allows. */
function fittingDelayMs(
  minMs: number,
  retry: number,
  { route: { policy }, limit }: PreparedCall,
  { clock, random }: CallParts,
): number | undefined {
  if (minMs > policy.retry.maxRetryAfterMs) {
    return undefined;
  }
  // The jitter comes on top of Retry-After, or everyone who was sent away would return at the same instant.
  const delayMs = minMs + backoffDelayMs(retry, policy.retry, random);
  return delayMs < limit.deadline - clock.monotonicNow() ? delayMs : undefined;
}

function isReplayable({ code, sent, status }: Failure, { route: { replay } }: PreparedCall): boolean {
  if (code === 'network' || code === 'timeout') {
    return isReplayableLoss(sent, replay);
  }
  return (code === 'server_error' || code === 'throttled' || code === 'rejected') && status !== undefined
    ? isReplayableStatus(status, replay)
    : false;
}

function circuitOpen(retryAfterMs: number): Failure {
  return { code: 'circuit_open', sent: 'no', retryAfterMs };
}

function throttled(retryAfterMs: number): Failure {
  return { code: 'throttled', sent: 'no', retryAfterMs };
}
