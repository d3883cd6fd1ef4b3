import { randomUUID } from 'node:crypto';

import type { Place, Places } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import { createScript } from '../connection/script.ts';

/** Takes a place of a key, or finds all taken. */
export type EnterPlace = (key: string, places: Places) => Promise<Place | undefined>;

/** A sorted set of those who have a place, by when it ends; by the clock of Redis. The last values have left before. */
const enter = createScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for index = 4, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[index])
end
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) and not known then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return known and 2 or 1`);

/** More of one key than this are left to end by themselves. */
const MAX_UNHEARD = 1_000;

/** Keeps places in Redis, for all replicas. */
export function createSharedPlaces(connection: Connection): EnterPlace {
  /** Places that were given back while nobody heard it: else they would be taken until they end, for no one. */
  const unheard = new Map<string, Set<string>>();

  const noteUnheard = (key: string, id: string, leaseMs: number) => {
    const ids = unheard.get(key) ?? new Set();
    unheard.set(key, ids);
    if (ids.size < MAX_UNHEARD) {
      ids.add(id);
      setTimeout(() => forget(key, [id]), leaseMs).unref();
    }
  };
  const forget = (key: string, heard: readonly string[]) => {
    const ids = unheard.get(key);
    heard.forEach((id) => ids?.delete(id));
    if (ids?.size === 0) {
      unheard.delete(key);
    }
  };

  return async (key, { max, leaseMs, holder }) => {
    const id = holder ?? randomUUID();
    // Who takes it again has not left.
    forget(key, [id]);
    const leaving = [...(unheard.get(key) ?? [])];
    let taken: unknown;
    try {
      const values = [id, max, leaseMs, ...leaving];
      taken = await connection.run((client) => enter.run(client, [key], values));
    } catch (error) {
      // It may have been heard, only late; a holder may have had it before, and takes it again or gives it back.
      if (holder === undefined) {
        noteUnheard(key, id, leaseMs);
      }
      throw error;
    }
    forget(key, leaving);
    if (taken === 0) {
      return undefined;
    }
    let hasLeft = false;
    return {
      wasHeld: taken === 2,
      leave() {
        if (!hasLeft) {
          hasLeft = true;
          connection.run((client) => client.zrem(key, id)).catch(() => noteUnheard(key, id, leaseMs));
        }
      },
    };
  };
}
