import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { silentLogger, type TaskLogger } from '../logger.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { TaskStore } from '../store/task-store.ts';
import type { TaskDefinition } from '../task.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 366 * DAY_MS;
/** The longest time between two looks at the store. */
export const MAX_ROUND_MS = 1_000;

/** Options of `openTaskEngine`. */
export interface TaskEngineOptions {
  /**
   * Where tasks live: a file on a local disk, created if missing, that the processes of one machine may share; `:memory:`,
   * which forgets everything on close; or a store of yours, which the engine closes.
   */
  readonly store: string | TaskStore;
  /** Kinds of tasks to run from the start; others join by `work`. @default none */
  readonly definitions?: readonly TaskDefinition[] | undefined;
  /** @default none */
  readonly logger?: TaskLogger | undefined;
  /** Wall clock, in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** A clock that nobody sets, in milliseconds. @default performance.now */
  readonly elapsed?: (() => number) | undefined;
  /** The maximum number of handlers at once in this process, 1 to 10000; further tasks wait as `queued`. @default 10 */
  readonly concurrency?: number | undefined;
  /** The maximum number of running tasks of one owner, in all processes, 1 to 10000. @default 5 */
  readonly maxRunningPerOwner?: number | undefined;
  /** The maximum number of waiting tasks of one owner, 1 to 100000; a further one is refused. @default 50 */
  readonly maxQueuedPerOwner?: number | undefined;
  /** How long a task may wait for its first run, in milliseconds: up to 100 years. @default 3_600_000 (1 hour) */
  readonly maxQueuedMs?: number | undefined;
  /** How long nothing is heard of a worker until others take its tasks, in milliseconds, 200 to 2147483647. @default 15_000 */
  readonly leaseMs?: number | undefined;
  /** How long an ended task, and with it its idempotency key, is kept, in milliseconds: up to 100 years. @default 604_800_000 (7 days) */
  readonly ttlMs?: number | undefined;
}

/** Fills in and checks, and opens the store. @throws {TypeError} or {RangeError} naming the option that is wrong */
export function resolveTaskEngineOptions(options: TaskEngineOptions) {
  const {
    store,
    definitions = [],
    logger = silentLogger,
    now = Date.now,
    elapsed = () => performance.now(),
    concurrency = 10,
    maxRunningPerOwner = 5,
    maxQueuedPerOwner = 50,
    maxQueuedMs = HOUR_MS,
    leaseMs = 15_000,
    ttlMs = 7 * DAY_MS,
  } = options;
  if (store === '' || (typeof store !== 'string' && typeof store !== 'object')) {
    throw new TypeError(`store must be a path or a task store, got ${JSON.stringify(store)}`);
  }
  checkWhole('concurrency', concurrency, 1, 10_000);
  checkWhole('maxRunningPerOwner', maxRunningPerOwner, 1, 10_000);
  checkWhole('maxQueuedPerOwner', maxQueuedPerOwner, 1, 100_000);
  checkWhole('maxQueuedMs', maxQueuedMs, 1, 100 * YEAR_MS);
  checkWhole('leaseMs', leaseMs, 200, MAX_TIMER_MS);
  checkWhole('ttlMs', ttlMs, 1, 100 * YEAR_MS);
  return {
    store: typeof store === 'string' ? openSqliteStore(store) : store,
    definitions,
    logger,
    now,
    elapsed,
    concurrency,
    maxRunningPerOwner,
    maxQueuedPerOwner,
    maxQueuedMs,
    leaseMs,
    ttlMs,
    roundMs: Math.min(MAX_ROUND_MS, Math.floor(leaseMs / 4)),
  };
}
