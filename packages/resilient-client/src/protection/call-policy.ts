import { checkNumber, checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import type { ClientErrorCode } from '../errors/failure.ts';
import type { Problem } from '../errors/problem.ts';
import type { Sent } from '../http/wire.ts';

/** How patient a call is. Every member has a default; an endpoint's policy overrides the client's, member by member. */
export interface CallPolicy {
  /** Whole call in milliseconds, from 1 to 2147483647: every attempt, wait and token included. @default 30_000 */
  readonly deadlineMs: number;
  /** One attempt in milliseconds, from 1 to 2147483647: connection, headers and the complete body. @default 10_000 */
  readonly attemptTimeoutMs: number;
  /** Maximum response body in bytes, from 1. @default 5_242_880 (5 MiB) */
  readonly maxResponseBytes: number;
  /** When an attempt is repeated. Full jitter is not optional. */
  readonly retry: {
    /** Repeats after the first attempt, from 0 to 10. @default 2 */
    readonly maxRetries: number;
    /** Upper bound of the first wait in milliseconds, from 1; doubles with each retry. @default 200 */
    readonly baseDelayMs: number;
    /** Upper bound of any wait in milliseconds, from `baseDelayMs`. @default 5_000 */
    readonly maxDelayMs: number;
    /** Maximum Retry-After that is waited for, in milliseconds, from 0; a longer one ends the call. @default 20_000 */
    readonly maxRetryAfterMs: number;
  };
  /** When an endpoint that keeps failing is left alone. A call counts once, whatever its attempts were. */
  readonly breaker: {
    /** Consecutive failed calls that open the circuit, from 1. @default 5 */
    readonly failures: number;
    /** Minimum time in milliseconds, from 1, before one probe is let through; up to 10 % is added. @default 60_000 */
    readonly openMs: number;
    /** Opens the circuit on a share of failures, too, which a few successes in between cannot hide. @default false */
    readonly rate: BreakerRate | false;
    /**
     * Decides what counts as a failure; undefined leaves it to the default. Not asked about calls that were cancelled or
     * never begun. @default a lost or timed out request, an upstream that nobody can connect to, 5xx other than 501
     */
    readonly isFailure: ((outcome: CircuitOutcome) => boolean | undefined) | undefined;
  };
  /** When a GET that takes long is sent a second time; the faster response counts. @default false */
  readonly hedge: Hedge | false;
}

/** The share of failed, or of slow, calls that opens a circuit. */
export interface BreakerRate {
  /** Failed calls in a hundred, above 0 and up to 100. */
  readonly percent: number;
  /** Calls within the window below which the share says nothing, from 1. */
  readonly minCalls: number;
  /** In milliseconds, at least twice `attemptTimeoutMs`: slow failures would leave a shorter one before the next arrive. */
  readonly windowMs: number;
  /** A call is slow when one of its requests took longer, in whole milliseconds from 1. @default none is */
  readonly slowCallMs?: number | undefined;
  /** Slow calls in a hundred that open the circuit, above 0 and up to 100. @default `percent` */
  readonly slowPercent?: number | undefined;
}

/** How a call ended, for whoever decides whether that was a failure of the upstream. */
export interface CircuitOutcome {
  /** Undefined when it succeeded. */
  readonly code: ClientErrorCode | undefined;
  /** Of the last response, if one came. */
  readonly status: number | undefined;
  readonly sent: Sent;
  /** What a successful response held. */
  readonly data: unknown;
  /** The problem document of a failed one, untrusted. */
  readonly problem: Problem | undefined;
  /** Requests put on the wire, or tried to. */
  readonly attempts: number;
  /** The time of its slowest request, in milliseconds. */
  readonly slowestMs: number;
}

/**
 * After how many milliseconds a GET is sent again: a fixed time, or a percentile, such as 95, of the endpoint's last 100
 * responses once 20 are known. Hedges count as retries in the client's budget.
 */
export type Hedge = { readonly afterMs: number } | { readonly afterPercentile: number };

/** A {@link CallPolicy} of which any part may be left out. */
export interface CallPolicyOptions extends Part<Omit<CallPolicy, 'retry' | 'breaker'>> {
  readonly retry?: Part<CallPolicy['retry']> | undefined;
  readonly breaker?: Part<CallPolicy['breaker']> | undefined;
}

type Part<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** The defaults, whose sources are: SRE book (3 attempts), .NET's standard resilience handler (10 s, 30 s), Envoy (5 failures). */
export const defaultCallPolicy: CallPolicy = {
  deadlineMs: 30_000,
  attemptTimeoutMs: 10_000,
  maxResponseBytes: 5 * 1024 * 1024,
  retry: { maxRetries: 2, baseDelayMs: 200, maxDelayMs: 5_000, maxRetryAfterMs: 20_000 },
  breaker: { failures: 5, openMs: 60_000, rate: false, isFailure: undefined },
  hedge: false,
};

/**
 * Lays `options` over `base` and checks every number.
 * @throws {RangeError} naming the member and its value.
 */
export function resolveCallPolicyOptions(
  options: CallPolicyOptions | undefined,
  base: CallPolicy = defaultCallPolicy,
): CallPolicy {
  if (options === undefined) {
    return base;
  }
  const { retry: givenRetry = {}, breaker: givenBreaker = {} } = options;
  const policy: CallPolicy = {
    deadlineMs: options.deadlineMs ?? base.deadlineMs,
    attemptTimeoutMs: options.attemptTimeoutMs ?? base.attemptTimeoutMs,
    maxResponseBytes: options.maxResponseBytes ?? base.maxResponseBytes,
    retry: {
      maxRetries: givenRetry.maxRetries ?? base.retry.maxRetries,
      baseDelayMs: givenRetry.baseDelayMs ?? base.retry.baseDelayMs,
      maxDelayMs: givenRetry.maxDelayMs ?? base.retry.maxDelayMs,
      maxRetryAfterMs: givenRetry.maxRetryAfterMs ?? base.retry.maxRetryAfterMs,
    },
    breaker: {
      failures: givenBreaker.failures ?? base.breaker.failures,
      openMs: givenBreaker.openMs ?? base.breaker.openMs,
      rate: givenBreaker.rate ?? base.breaker.rate,
      isFailure: givenBreaker.isFailure ?? base.breaker.isFailure,
    },
    hedge: options.hedge ?? base.hedge,
  };
  const { retry, breaker } = policy;
  checkWhole('policy.deadlineMs', policy.deadlineMs, 1, MAX_TIMER_MS);
  checkWhole('policy.attemptTimeoutMs', policy.attemptTimeoutMs, 1, MAX_TIMER_MS);
  checkWhole('policy.maxResponseBytes', policy.maxResponseBytes, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('policy.retry.maxRetries', retry.maxRetries, 0, 10);
  checkWhole('policy.retry.baseDelayMs', retry.baseDelayMs, 1, MAX_TIMER_MS);
  checkWhole('policy.retry.maxDelayMs', retry.maxDelayMs, retry.baseDelayMs, MAX_TIMER_MS);
  checkWhole('policy.retry.maxRetryAfterMs', retry.maxRetryAfterMs, 0, MAX_TIMER_MS);
  checkWhole('policy.breaker.failures', breaker.failures, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('policy.breaker.openMs', breaker.openMs, 1, MAX_TIMER_MS);
  if (breaker.rate !== false) {
    checkRate(breaker.rate, policy.attemptTimeoutMs);
  }
  if (policy.hedge !== false) {
    checkHedge(policy.hedge);
  }
  return policy;
}

function checkRate(rate: BreakerRate, attemptTimeoutMs: number): void {
  const { percent, minCalls, windowMs, slowCallMs = 1, slowPercent = percent } = rate;
  checkNumber('policy.breaker.rate.percent', percent, Number.MIN_VALUE, 100);
  checkWhole('policy.breaker.rate.slowCallMs', slowCallMs, 1, MAX_TIMER_MS);
  checkNumber('policy.breaker.rate.slowPercent', slowPercent, Number.MIN_VALUE, 100);
  checkWhole('policy.breaker.rate.minCalls', minCalls, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('policy.breaker.rate.windowMs', windowMs, 2 * attemptTimeoutMs, Number.MAX_SAFE_INTEGER);
}

function checkHedge(hedge: Hedge): void {
  if ('afterMs' in hedge) {
    checkWhole('policy.hedge.afterMs', hedge.afterMs, 1, MAX_TIMER_MS);
  } else {
    checkNumber('policy.hedge.afterPercentile', hedge.afterPercentile, 1, 100);
  }
}
