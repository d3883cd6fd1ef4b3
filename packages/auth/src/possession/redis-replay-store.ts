import { untilAborted } from '../abort.ts';
import { checkWhole } from '../check-number.ts';
import type { ReplayStore } from './replay-store.ts';

/** As much of a Redis client as is needed. node-redis has it; ioredis calls it `call(command, ...arguments)`. */
export interface RedisClient {
  /** Sends one command and gives its reply. Rejects when there is none. */
  readonly sendCommand: (command: string[]) => Promise<unknown>;
}

/** Which Redis, and where in it. */
export interface RedisReplayStoreOptions {
  readonly client: RedisClient;
  /** What the keys begin with. @default 'mcp-auth:replay:' */
  readonly prefix?: string | undefined;
  /** How long a reply may take, in milliseconds: 1 to 60_000. @default 2_000 */
  readonly timeoutMs?: number | undefined;
}

/** @throws {RangeError} naming the number @throws {TypeError} naming the option */
function resolveRedisReplayStoreOptions(options: RedisReplayStoreOptions) {
  const { client, prefix = 'mcp-auth:replay:', timeoutMs = 2_000 } = options;
  if (typeof client?.sendCommand !== 'function') {
    throw new TypeError(`client must have sendCommand, got ${JSON.stringify(client)}`);
  }
  checkWhole('timeoutMs', timeoutMs, 1, 60_000);
  return { client, prefix, timeoutMs };
}

/**
 * A memory in Redis (or Valkey), which replicas share. Each claim is a key that ends by itself; run that Redis with
 * `maxmemory-policy noeviction`, or it forgets claims that count. Owners have no share of their own: the keys are theirs all.
 * @throws {RangeError} naming the number
 * @throws {TypeError} naming the option
 */
export function createRedisReplayStore(options: RedisReplayStoreOptions): ReplayStore {
  const { client, prefix, timeoutMs } = resolveRedisReplayStoreOptions(options);
  return {
    async claim(id, { ttlMs }) {
      const command = ['SET', prefix + id, '1', 'PX', String(ttlMs), 'NX'];
      const reply = await untilAborted(client.sendCommand(command), AbortSignal.timeout(timeoutMs));
      if (reply === null || reply === undefined) {
        return false;
      }
      if (reply === 'OK') {
        return true;
      }
      throw new Error('Redis gave a reply that says neither that the key was set nor that it was there');
    },
  };
}
