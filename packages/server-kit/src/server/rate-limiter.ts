import type { RateLimiter } from '@mcp-parts/tool-kit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const MINUTE_MS = 60_000;

/** Counts requests in this process, in minutes that begin with the first request of a key. */
export function createRateLimiter(): RateLimiter {
  // There are as many as settings and definitions have numbers.
  const limiters = new Map<number, RateLimiterMemory>();
  const limiterOf = (perMinute: number): RateLimiterMemory => {
    const known = limiters.get(perMinute);
    if (known !== undefined) {
      return known;
    }
    const made = new RateLimiterMemory({ points: perMinute, duration: 60 });
    limiters.set(perMinute, made);
    return made;
  };
  return {
    async consume(key, { perMinute, weight }) {
      const limiter = limiterOf(perMinute);
      try {
        await limiter.consume(key, weight);
        return { allowed: true };
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) {
          // It has been counted all the same; and by a clock that was set back, its minute would last for hours.
          await limiter.reward(key, weight);
          return { allowed: false, retryAfterMs: Math.min(refusal.msBeforeNext, MINUTE_MS) };
        }
        throw refusal;
      }
    },
  };
}
