import { checkNumber, checkWhole, MAX_TIMER_MS } from '../check-number.ts';

/**
 * How much a client's retries and hedges may add to its calls, so that a failing upstream is not hit harder than a
 * healthy one. Within any stretch of time they are at most `ratio` of the calls in it, `minRetries` for each `windowMs`
 * of it, and one reserve: `minRetries`, or `ratio` of the calls at a time if that is more.
 */
export interface RetryBudgetOptions {
  /** Repeats that a call earns, from 0 to 1. @default 0.2, as Envoy and failsafe-go have it */
  readonly ratio?: number | undefined;
  /** In milliseconds, from 1 to 2147483647. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** Repeats that are earned within the window without calls, for a client with few of them; from 0. @default 3 */
  readonly minRetries?: number | undefined;
}

/** {@link RetryBudgetOptions}, filled in and checked. */
export interface ResolvedRetryBudgetOptions {
  readonly ratio: number;
  readonly windowMs: number;
  readonly minRetries: number;
}

/** @throws {RangeError} naming the member and its value. */
export function resolveRetryBudgetOptions(options: RetryBudgetOptions = {}): ResolvedRetryBudgetOptions {
  const { ratio = 0.2, windowMs = 10_000, minRetries = 3 } = options;
  checkNumber('retryBudget.ratio', ratio, 0, 1);
  checkWhole('retryBudget.windowMs', windowMs, 1, MAX_TIMER_MS);
  checkWhole('retryBudget.minRetries', minRetries, 0, Number.MAX_SAFE_INTEGER);
  return { ratio, windowMs, minRetries };
}

/** Counts the calls of a client and grants their repeats. */
export interface RetryBudget {
  /** @param active how many calls are in progress, this one included */
  readonly onCall: (active: number) => void;
  /** Whether one more request may be repeated now; if so, it is counted. */
  readonly take: (now: number) => boolean;
}

/**
 * Creates a budget that holds `minRetries`.
 *
 * A bucket, as Finagle's, and not a count of past calls: healthy calls would leave a window of them full of repeats that
 * nobody needed, to be spent at once by the first calls that fail. What it holds is a share of the calls at a time, as
 * Envoy's budget is, so that a busy client can still repeat a burst.
 */
export function createRetryBudget(options: ResolvedRetryBudgetOptions): RetryBudget {
  const { ratio, windowMs, minRetries } = options;
  let repeats = minRetries;
  let refilledAt: number | undefined;

  // Small steps add up to a little less than a whole: 5 × 0.2 after a repeat was taken.
  const has = (amount: number): boolean => repeats >= amount - 1e-9;

  function refill(now: number): void {
    const passedMs = now - (refilledAt ?? now);
    refilledAt = now;
    repeats = Math.max(repeats, Math.min(minRetries, repeats + (passedMs / windowMs) * minRetries));
  }

  return {
    onCall(active) {
      // At least one: a smaller reserve could never be spent.
      const most = Math.max(1, minRetries, ratio * active);
      repeats = Math.min(most, repeats + ratio);
    },
    take(now) {
      refill(now);
      if (!has(1)) {
        return false;
      }
      repeats = Math.max(0, repeats - 1);
      return true;
    },
  };
}
