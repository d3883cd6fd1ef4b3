import type { Failure } from '../errors/failure.ts';
import { backoffDelayMs } from '../protection/backoff.ts';
import { isReplayableLoss, isReplayableStatus } from '../protection/replay.ts';
import type { RetryBudget } from '../protection/retry-budget.ts';
import type { Clock } from '../time/clock.ts';
import type { PreparedCall } from './attempt.ts';

/** What decides about a retry beside the call itself. */
export interface RetryParts {
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Milliseconds to wait when the circuit would shed the next attempt: nothing does while the call's own way is open. */
export function shedsForMs({ passage, input, namedCaller }: PreparedCall): number | undefined {
  return passage?.isCurrent() === true ? undefined : input.route.protection.circuit.shedsForMs(namedCaller);
}

/** The wait before the next attempt, or what forbids it. Taking from the budget comes last: what is not used is not spent. */
export function planRetry(
  failure: Failure,
  retry: number,
  call: PreparedCall,
  parts: RetryParts,
): number | 'circuit' | 'deadline' | 'budget' {
  // A probe is one request: what it found is found.
  if (call.passage?.isProbe === true || shedsForMs(call) !== undefined) {
    return 'circuit';
  }
  const delayMs = fittingDelayMs(failure.retryAfterMs ?? 0, retry, call, parts);
  if (delayMs === undefined) {
    return 'deadline';
  }
  return parts.budget.take(parts.clock.monotonicNow()) ? delayMs : 'budget';
}

/** A wait of at least `minMs`, with jitter; undefined when it is longer than the policy or the deadline allows. */
export function fittingDelayMs(
  minMs: number,
  retry: number,
  { input: { route, limit } }: PreparedCall,
  { clock, random }: RetryParts,
): number | undefined {
  const { retry: policy } = route.policy;
  if (minMs > policy.maxRetryAfterMs) {
    return undefined;
  }
  // The jitter comes on top of Retry-After, or everyone who was sent away would return at the same instant.
  const delayMs = minMs + backoffDelayMs(retry, policy, random);
  return delayMs < limit.deadline - clock.monotonicNow() ? delayMs : undefined;
}

/** Whether the request may go out again without doing its work twice. */
export function isReplayable({ code, sent, status }: Failure, { input }: PreparedCall): boolean {
  const { replay } = input.route;
  if (code === 'network' || code === 'timeout') {
    return isReplayableLoss(sent, replay);
  }
  return (code === 'server_error' || code === 'throttled' || code === 'rejected') && status !== undefined
    ? isReplayableStatus(status, replay)
    : false;
}
