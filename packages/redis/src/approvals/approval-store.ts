import type { ApprovalStore, JsonObject } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import { hashed } from '../connection/keys.ts';

/**
 * What waits for a second person, for all replicas; the port `ApprovalStore` of `@mcp-parts/tool-kit`. Each method rejects
 * with a `RedisError` `unavailable` while Redis is gone: then nothing is approved, and nothing that takes it is done.
 */
export type RedisApprovals = ApprovalStore;

/** Remembers it in Redis, one key for each value, which ends by itself. */
export function createRedisApprovals({ prefix, run }: Connection): RedisApprovals {
  const nameOf = (key: string) => `${prefix}approval:${hashed(key)}`;

  async function get(key: string): Promise<JsonObject | undefined> {
    const text = await run((client) => client.get(nameOf(key)));
    // Only this store writes there.
    return text === null ? undefined : (JSON.parse(text) as JsonObject);
  }

  return {
    get,
    async keep(key, value, { ttlMs }) {
      const isKept = async () =>
        (await run((client) => client.set(nameOf(key), JSON.stringify(value), 'PX', ttlMs, 'NX'))) === 'OK';
      if (await isKept()) {
        return value;
      }
      const known = await get(key);
      if (known !== undefined) {
        return known;
      }
      // Its time was over between the two.
      await isKept();
      return (await get(key)) ?? value;
    },
    async forget(key) {
      await run((client) => client.del(nameOf(key)));
    },
  };
}
