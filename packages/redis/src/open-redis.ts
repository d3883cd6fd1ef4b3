import { connect } from './connection/connection.ts';
import { resolveRedisOptions, type RedisOptions } from './connection/redis-options.ts';
import { createRedisEventBus, type RedisEventBus } from './events/event-bus.ts';
import { createReplayStore, type ReplayStore } from './proofs/replay-store.ts';

/** What the replicas share, by what it is for. */
export interface SharedRedis extends AsyncDisposable {
  /** What changes on one replica is heard on all. */
  readonly events: RedisEventBus;
  /** A proof that was used on one replica is used up on all. */
  readonly replays: ReplayStore;
  /** Whether Redis can be reached now, as far as is known. */
  readonly isReachable: () => boolean;
  /** Closes every connection. What was not sent is forgotten. */
  readonly close: () => Promise<void>;
}

/**
 * Connects to the Redis (or Valkey) that the replicas share. Where it is gone, this resolves all the same, and each part
 * says what it does without: it is tried again in the background.
 *
 * @throws {RedisError} `unsuitable`: older than 6.2, or it would evict what must be kept.
 * @throws {TypeError} naming the option that is wrong.
 * @throws {RangeError} naming the number.
 */
export async function openRedis(options: RedisOptions): Promise<SharedRedis> {
  const resolved = resolveRedisOptions(options);
  const connection = await connect(resolved);
  const events = createRedisEventBus(connection, resolved.logger);
  const close = async () => {
    await events.close();
    await connection.close();
  };
  return {
    events,
    replays: createReplayStore(connection),
    isReachable: connection.isReachable,
    close,
    [Symbol.asyncDispose]: close,
  };
}
