import { createHash } from 'node:crypto';

import type { Redis } from 'ioredis';

/** A Lua script, which Redis runs as one command. */
export interface Script {
  readonly run: (
    client: Redis,
    keys: readonly string[],
    values: readonly (string | number)[],
  ) => Promise<unknown>;
}

/** Sends its digest, and itself only to a Redis that does not have it yet. */
export function createScript(lua: string): Script {
  const digest = createHash('sha1').update(lua).digest('hex');
  return {
    async run(client, keys, values) {
      try {
        return await client.evalsha(digest, keys.length, ...keys, ...values);
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
          return client.eval(lua, keys.length, ...keys, ...values);
        }
        throw error;
      }
    },
  };
}
