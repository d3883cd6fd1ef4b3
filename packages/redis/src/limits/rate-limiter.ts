import { createLocalPlaces, type RateLimiter } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import { hashed } from '../connection/keys.ts';
import type { Replicas } from '../connection/replicas.ts';
import { countLocally, countShared } from './request-windows.ts';
import { createSharedPlaces } from './shared-places.ts';

/** A rate limiter that also counts places. */
export type RedisRateLimiter = RateLimiter & { readonly enter: NonNullable<RateLimiter['enter']> };

/**
 * Counts requests and running calls for all replicas together. While Redis is gone, each replica counts for itself, up
 * to its share of each limit, so that all of them together let about as much pass as before.
 */
export function createRedisRateLimiter(connection: Connection, replicas: Replicas): RedisRateLimiter {
  const consumeShared = countShared(connection);
  const consumeLocally = countLocally();
  const enterShared = createSharedPlaces(connection);
  const local = createLocalPlaces();
  const shareOf = (limit: number): number => Math.max(1, Math.ceil(limit / replicas.count()));

  return {
    async consume(key, rate) {
      // A key says who is calling, and may be some thousand characters long.
      const name = hashed(key);
      try {
        return await consumeShared(`${connection.prefix}rate:${name}`, rate);
      } catch {
        // Gone, which the connection has logged.
        const perMinute = shareOf(rate.perMinute);
        return consumeLocally(name, { perMinute, weight: Math.min(rate.weight, perMinute) });
      }
    },
    async enter(key, places) {
      const name = hashed(key);
      try {
        return await enterShared(`${connection.prefix}places:${name}`, places);
      } catch {
        // As above.
        return local.enter(name, { ...places, max: shareOf(places.max) });
      }
    },
  };
}
