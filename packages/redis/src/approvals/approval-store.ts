import type { ApprovalStore, JsonObject } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import { hashed } from '../connection/keys.ts';
import { createScript } from '../connection/script.ts';

/**
 * What waits for a second person, for all replicas; the port `ApprovalStore` of `@mcp-parts/tool-kit`. Each method rejects
 * with a `RedisError` `unavailable` while Redis is gone: then nothing is approved, and nothing that takes it is done.
 */
export type RedisApprovals = ApprovalStore;

/** Of: value, how long. With a second key, the name is put into that list, of which the newest thousand count. */
const keep = createScript(`
local known = redis.call('GET', KEYS[1])
if not known then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
if KEYS[2] then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], 'NX', string.format('%.0f', time[1] * 1000000 + time[2]), KEYS[1])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1001)
  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
end
return known`);

/** Remembers it in Redis, one key for each value, which ends by itself. */
export function createRedisApprovals({ prefix, run }: Connection): RedisApprovals {
  const nameOf = (key: string) => `${prefix}approval:${hashed(key)}`;
  const listOf = (list: string) => `${prefix}approvals:${hashed(list)}`;
  // Only this store writes there.
  const read = (text: string) => JSON.parse(text) as JsonObject;

  return {
    async get(key) {
      const text = await run((client) => client.get(nameOf(key)));
      return text === null ? undefined : read(text);
    },
    async keep(key, value, { ttlMs, list }) {
      const names = [nameOf(key), ...(list === undefined ? [] : [listOf(list)])];
      const known = await run((client) => keep.run(client, names, [JSON.stringify(value), ttlMs]));
      return typeof known === 'string' ? read(known) : value;
    },
    async forget(key) {
      await run((client) => client.del(nameOf(key)));
    },
    async listed(list, limit) {
      const texts = await run(async (client) => {
        const names = await client.zrevrange(listOf(list), 0, -1);
        return names.length === 0 ? [] : client.mget(names);
      });
      return texts.flatMap((text) => (text === null ? [] : [read(text)])).slice(0, limit);
    },
  };
}
