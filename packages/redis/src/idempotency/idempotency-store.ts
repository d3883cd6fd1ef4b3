import type { IdempotencyStore, RepeatableCall } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import { hashed } from '../connection/keys.ts';
import { createScript } from '../connection/script.ts';

/** By the clock of Redis, which is the only one that all see. A key lasts as long as its window, and as its lease. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'holder', 'leaseEndsAt', 'endsAt', 'call')
`;

/** Of: holder, window, lease, call. The call that has the key, and whether nobody is behind it any more. */
const claim = createScript(`${NOW}
if known[4] then return { known[4], (tonumber(known[2]) <= now) and 1 or 0 } end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'leaseEndsAt', string.format('%.0f', now + ARGV[3]),
  'endsAt', string.format('%.0f', now + ARGV[2]), 'call', ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.max(ARGV[2], ARGV[3]))
return false`);

/** Of: holder, lease. */
const renew = createScript(`${NOW}
if known[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'leaseEndsAt', string.format('%.0f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(known[3]) - now, ARGV[2]))
return 1`);

/** Of: holder, window, call. */
const keep = createScript(`${NOW}
if known[1] and known[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'leaseEndsAt', '0', 'endsAt', string.format('%.0f', now + ARGV[2]),
  'call', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** Of: holder. */
const release = createScript(`${NOW}
if known[1] == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);

/** Remembers calls that may be repeated for all replicas. While Redis is gone, none is made: nobody can tell. */
export function createRedisIdempotencyStore({ prefix, run }: Connection): IdempotencyStore {
  const keyOf = (key: string) => [`${prefix}call:${hashed(key)}`];
  return {
    async claim(key, call, { ttlMs, leaseMs }) {
      const values = [call.holder, ttlMs, leaseMs, JSON.stringify(call)];
      const found = (await run((client) => claim.run(client, keyOf(key), values))) as
        | readonly [string, number]
        | null;
      if (found === null) {
        return undefined;
      }
      // What is stored, a replica has written from the same type.
      const known = JSON.parse(found[0]) as RepeatableCall;
      return known.state === 'running' && found[1] === 1 ? { ...known, state: 'unknown' } : known;
    },
    async renew(key, { holder }, { leaseMs }) {
      await run((client) => renew.run(client, keyOf(key), [holder, leaseMs]));
    },
    async keep(key, call, { ttlMs }) {
      await run((client) => keep.run(client, keyOf(key), [call.holder, ttlMs, JSON.stringify(call)]));
    },
    async release(key, { holder }) {
      await run((client) => release.run(client, keyOf(key), [holder]));
    },
  };
}
