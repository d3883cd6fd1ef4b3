import { checkNumber, checkWhole, MAX_TIMER_MS } from '../check-number.ts';

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
  /** When an endpoint that keeps failing is left alone. */
  readonly breaker: {
    /** Consecutive failed attempts that open the circuit, from 1. @default 5 */
    readonly failures: number;
    /** Minimum time in milliseconds, from 1, before one probe is let through; up to 10 % is added. @default 60_000 */
    readonly openMs: number;
    /** Opens the circuit on a share of failures, too, which a few successes in between cannot hide. @default false */
    readonly rate: BreakerRate | false;
  };
  /** When a GET that takes long is sent a second time; the faster response counts. @default false */
  readonly hedge: Hedge | false;
}

/** The share of failed attempts that opens a circuit. */
export interface BreakerRate {
  /** Failed attempts in a hundred, above 0 and up to 100. */
  readonly percent: number;
  /** Attempts within the window below which the share says nothing, from 1. */
  readonly minCalls: number;
  /** In milliseconds, at least twice `attemptTimeoutMs`: slow failures would leave a shorter one before the next arrive. */
  readonly windowMs: number;
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
  breaker: { failures: 5, openMs: 60_000, rate: false },
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

function checkRate({ percent, minCalls, windowMs }: BreakerRate, attemptTimeoutMs: number): void {
  checkNumber('policy.breaker.rate.percent', percent, Number.MIN_VALUE, 100);
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
