import type { TaskStore } from '@mcp-parts/tasks';
import type { IdempotencyStore } from '@mcp-parts/tool-kit';

import { createRedisApprovals, type RedisApprovals } from './approvals/approval-store.ts';
import { connect } from './connection/connection.ts';
import { resolveRedisOptions, type RedisOptions } from './connection/redis-options.ts';
import { countReplicas } from './connection/replicas.ts';
import { createRedisEventBus, type RedisEventBus } from './events/event-bus.ts';
import { createRedisIdempotencyStore } from './idempotency/idempotency-store.ts';
import { createRedisRateLimiter, type RedisRateLimiter } from './limits/rate-limiter.ts';
import { createReplayStore, type ReplayStore } from './proofs/replay-store.ts';
import { createRedisTaskStore } from './tasks/task-store.ts';

/** What the replicas share, by what it is for. */
export interface SharedRedis extends AsyncDisposable {
  /** Limits of all replicas together; while Redis is gone, each replica has its share of them. */
  readonly rateLimiter: RedisRateLimiter;
  /** What changes on one replica is heard on all. */
  readonly events: RedisEventBus;
  /** A proof that was used on one replica is used up on all. */
  readonly replays: ReplayStore;
  /** What waits for a second person, and what was approved, is known on all. */
  readonly approvals: RedisApprovals;
  /**
   * A call of a tool with `idempotent` that is made again on another replica gets the answer of the first. While Redis is
   * gone no such call is made (`unavailable`).
   */
  readonly idempotency: IdempotencyStore;
  /**
   * Where the tasks of all replicas are: the `store` of a task engine, which closes it.
   *
   * @throws {RedisError} `unsuitable`: without an append-only file, Redis would forget tasks that were accepted.
   */
  readonly openTaskStore: () => Promise<TaskStore>;
  /** Whether Redis can be reached now, as far as is known. */
  readonly isReachable: () => boolean;
  /** How many processes share it, this one included, as far as is known. */
  readonly replicas: () => number;
  /** Rejects while Redis is gone: a probe of `assembleServer`, without which the server is degraded and goes on. */
  readonly probe: () => Promise<void>;
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
  const replicas = await countReplicas(connection);
  const events = createRedisEventBus(connection, resolved.logger);
  const close = async () => {
    await events.close();
    await replicas.close();
    await connection.close();
  };
  return {
    rateLimiter: createRedisRateLimiter(connection, replicas),
    events,
    replays: createReplayStore(connection),
    approvals: createRedisApprovals(connection),
    idempotency: createRedisIdempotencyStore(connection),
    async openTaskStore() {
      await connection.checkDurable();
      return createRedisTaskStore(connection);
    },
    isReachable: connection.isReachable,
    replicas: replicas.count,
    async probe() {
      await connection.run((client) => client.ping());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
