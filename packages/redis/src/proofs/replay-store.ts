import type { Connection } from '../connection/connection.ts';
import { hashed } from '../connection/keys.ts';

/** What may be used once, remembered for all replicas; the port of `@mcp-parts/auth`. */
export interface ReplayStore {
  /**
   * Claims `id`: `true` for the first who does, on whichever replica, `false` for everyone after until `ttlMs`
   * milliseconds are over.
   *
   * @throws {RedisError} `unavailable`: nobody can tell, so nothing may pass.
   */
  readonly claim: (id: string, claim: { readonly ttlMs: number }) => Promise<boolean>;
}

/** Remembers them in Redis, one key for each, which ends by itself. */
export function createReplayStore({ prefix, run }: Connection): ReplayStore {
  return {
    async claim(id, { ttlMs }) {
      const key = `${prefix}used:${hashed(id)}`;
      return (await run((client) => client.set(key, '1', 'PX', ttlMs, 'NX'))) === 'OK';
    },
  };
}
