import type { RateLimiter } from '@mcp-parts/tool-kit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** At most `perMinute` calls in each minute for each key, counted in this process. */
export function createRateLimiter(perMinute: number): RateLimiter {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return {
    async consume(key) {
      try {
        await limiter.consume(key);
        return { allowed: true };
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return { allowed: false, retryAfterMs: refusal.msBeforeNext };
        throw refusal;
      }
    },
  };
}
