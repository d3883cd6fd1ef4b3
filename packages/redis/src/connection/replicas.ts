import { randomUUID } from 'node:crypto';

import type { Connection } from './connection.ts';
import { createScript } from './script.ts';

/** How many processes share this Redis, as far as is known. */
export interface Replicas {
  /** 1 at least. While Redis is gone, as many as there were. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

const BEAT_MS = 5_000;
/** Who has missed two beats is gone. */
const ALIVE_MS = 15_000;

/** By the clock of Redis, which is the only one that all see. */
const beat = createScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`);

/** Counts those who say from time to time that they are there. */
export async function countReplicas(connection: Connection): Promise<Replicas> {
  const key = `${connection.prefix}replicas`;
  const self = randomUUID();
  let known = 1;
  const say = async () => {
    try {
      known = Number(await connection.run((client) => beat.run(client, [key], [self, ALIVE_MS])));
    } catch {
      // What was known last is the best that there is.
    }
  };
  await say();
  const timer = setInterval(() => void say(), BEAT_MS).unref();
  const stopWaiting = connection.onBack(() => void say());
  return {
    count: () => known,
    async close() {
      clearInterval(timer);
      stopWaiting();
      // Whoever stays gets its share at once.
      await connection.run((client) => client.zrem(key, self)).catch(() => undefined);
    },
  };
}
