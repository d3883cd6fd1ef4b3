import { silentLogger, type TaskLogger } from '../logger.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { TaskStore } from '../store/task-store.ts';
import type { TaskDefinition } from '../task.ts';
import type { TaskObserver } from './task-figures.ts';
import { resolveTaskLimits, type TaskLimits } from './task-limits.ts';

/** The longest time between two looks at the store. */
export const MAX_ROUND_MS = 1_000;

/** Options of `openTaskEngine`. */
export interface TaskEngineOptions extends TaskLimits {
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
  /** @default nobody is told */
  readonly observer?: TaskObserver | undefined;
}

/** Fills in and checks, and opens the store. @throws {TypeError} or {RangeError} naming the option that is wrong */
export function resolveTaskEngineOptions(options: TaskEngineOptions) {
  const {
    store,
    definitions = [],
    logger = silentLogger,
    now = Date.now,
    elapsed = () => performance.now(),
  } = options;
  if (store === '' || (typeof store !== 'string' && typeof store !== 'object')) {
    throw new TypeError(`store must be a path or a task store, got ${JSON.stringify(store)}`);
  }
  const limits = resolveTaskLimits(options);
  return {
    store: typeof store === 'string' ? openSqliteStore(store) : store,
    definitions,
    logger,
    now,
    elapsed,
    observer: options.observer,
    ...limits,
    roundMs: Math.min(MAX_ROUND_MS, Math.floor(limits.leaseMs / 4)),
  };
}
