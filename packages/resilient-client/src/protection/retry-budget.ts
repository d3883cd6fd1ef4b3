import { checkNumber, checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { createRollingCount } from './rolling-count.ts';

/** How much a client's retries and hedges may add to its calls, so that a failing upstream is not hit harder than a healthy one. */
export interface RetryBudgetOptions {
  /** Repeats per call within the window, from 0 to 1. @default 0.2, as Envoy and failsafe-go have it */
  readonly ratio?: number | undefined;
  /** In milliseconds, from 1 to 2147483647. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** Repeats within the window that are always allowed, for a client with few calls; from 0. @default 3 */
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
  readonly onCall: (now: number) => void;
  /** Whether one more request may be repeated now; if so, it is counted. */
  readonly take: (now: number) => boolean;
}

/** Creates a budget nothing has been taken from. */
export function createRetryBudget(options: ResolvedRetryBudgetOptions): RetryBudget {
  const { ratio, windowMs, minRetries } = options;
  const calls = createRollingCount(windowMs);
  const retries = createRollingCount(windowMs);
  return {
    onCall: (now) => calls.add(now),
    take(now) {
      if (retries.total(now) + 1 > Math.max(minRetries, ratio * calls.total(now))) {
        return false;
      }
      retries.add(now);
      return true;
    },
  };
}
