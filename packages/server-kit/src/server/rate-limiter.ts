import type { RateLimiter } from '@mcp-parts/tool-kit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

<<<<<<< HEAD
import { checkWhole } from '../check-number.ts';

/** How much one caller may ask for. */
export interface RateLimitOptions {
  /** Requests per minute for each caller, lists and refused ones too, counted in this process; from 1 to 1_000_000. @default 100 */
  readonly rateLimitPerMinute?: number | undefined;
}

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveRateLimitOptions({ rateLimitPerMinute = 100 }: RateLimitOptions): {
  readonly rateLimitPerMinute: number;
} {
  checkWhole('rateLimitPerMinute', rateLimitPerMinute, 1, 1_000_000);
  return { rateLimitPerMinute };
}
=======
import { resolveRateLimitOptions, type RateLimitOptions } from './rate-limit-options.ts';
>>>>>>> stdio/main

/**
 * Counts calls in this process, for each key by itself.
 *
 * @throws {RangeError} naming the option that is out of its range.
 */
export function createRateLimiter(options: RateLimitOptions = {}): RateLimiter {
  const { rateLimitPerMinute } = resolveRateLimitOptions(options);
  const limiter = new RateLimiterMemory({ points: rateLimitPerMinute, duration: 60 });
  return {
    async consume(key) {
      try {
        await limiter.consume(key);
        return { allowed: true };
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) {
          return { allowed: false, retryAfterMs: refusal.msBeforeNext };
        }
        throw refusal;
      }
    },
  };
}
