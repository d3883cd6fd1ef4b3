import type { RateLimitAnswer, RequestRate } from '@mcp-parts/tool-kit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import type { Connection } from '../connection/connection.ts';
import { createScript } from '../connection/script.ts';

const MINUTE_MS = 60_000;

/** Counts requests, in minutes that begin with the first request of a key. */
export type CountRequests = (key: string, rate: RequestRate) => Promise<RateLimitAnswer>;

/**
 * The script of rate-limiter-flexible counts a refused request too, and somebody who goes on asking for what is too heavy
 * would use up what is left for light ones. This one counts all of it or nothing: -1, or how long to wait.
 */
const consume = createScript(`
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used + ARGV[1] > tonumber(ARGV[2]) then
  return math.max(redis.call('PTTL', KEYS[1]), 1)
end
if redis.call('INCRBY', KEYS[1], ARGV[1]) == tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return -1`);

/** Counts them in Redis, for all replicas. */
export function countShared(connection: Connection): CountRequests {
  return async (key, { perMinute, weight }) => {
    const retryAfterMs = Number(
      await connection.run((client) => consume.run(client, [key], [weight, perMinute, MINUTE_MS])),
    );
    return retryAfterMs === -1 ? { allowed: true } : { allowed: false, retryAfterMs };
  };
}

/** Counts them in this process. */
export function countLocally(): CountRequests {
  // There are as many as settings and definitions have numbers, for each number of replicas.
  const limiters = new Map<number, RateLimiterMemory>();
  return async (key, { perMinute, weight }) => {
    const limiter = limiters.get(perMinute) ?? new RateLimiterMemory({ points: perMinute, duration: 60 });
    limiters.set(perMinute, limiter);
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
  };
}
