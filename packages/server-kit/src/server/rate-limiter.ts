import type { RateLimiter } from '@mcp-parts/tool-kit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import { resolveRateLimitOptions, type RateLimitOptions } from './rate-limit-options.ts';

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
