import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { TaskError } from './errors.ts';
import { silentLogger, type TaskLogger } from './logger.ts';
import { createRunner } from './runner.ts';
import { openSqliteStore } from './sqlite-store.ts';
import {
  type JsonObject,
  type QueuedTask,
  snapshot,
  type StoredTask,
  type Task,
  type TaskDefinition,
  toTask,
} from './task.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const YEAR_MS = 366 * DAY_MS;
const SWEEP_INTERVAL_MS = 60_000;

/** Options of {@link openTaskEngine}. */
export interface TaskEngineOptions {
  /** File on a local disk, created if missing, beside it `….lock`; or `:memory:`, which forgets everything on close. */
  readonly path: string;
  /** The kinds of tasks this engine runs. */
  readonly definitions: readonly TaskDefinition[];
  /** @default none */
  readonly logger?: TaskLogger | undefined;
  /** Wall clock, in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** The maximum number of handlers at once, 1 to 10000; further tasks wait as `queued`. @default 10 */
  readonly concurrency?: number | undefined;
  /** How long an ended task, and with it its idempotency key, is kept, in milliseconds: up to 100 years. @default 604_800_000 (7 days) */
  readonly ttlMs?: number | undefined;
}

interface ResolvedTaskEngineOptions {
  readonly path: string;
  readonly definitions: ReadonlyMap<string, TaskDefinition>;
  readonly logger: TaskLogger;
  readonly now: () => number;
  readonly concurrency: number;
  readonly ttlMs: number;
}

function resolveTaskEngineOptions(options: TaskEngineOptions): ResolvedTaskEngineOptions {
  const { path, logger = silentLogger, now = Date.now, concurrency = 10, ttlMs = 7 * DAY_MS } = options;
  if (typeof path !== 'string' || path === '') {
    throw new TypeError(`path must be a path, got ${JSON.stringify(path)}`);
  }
  checkWhole('concurrency', concurrency, 1, 10_000);
  checkWhole('ttlMs', ttlMs, 1, 100 * YEAR_MS);
  return { path, logger, now, concurrency, ttlMs, definitions: indexByKind(options.definitions) };
}

/** What to start, and for whom. */
export interface TaskRequest {
  /** Kind of one of the definitions. */
  readonly kind: string;
  readonly input: JsonObject;
  /** Who may see and cancel the task; compared as a whole. */
  readonly ownerId: string;
  /** Starting again with the same owner, kind and key returns the first task. */
  readonly idempotencyKey?: string | undefined;
}

/** Starts, shows and cancels tasks that outlive the request they came from. */
export interface TaskEngine extends AsyncDisposable {
  /**
   * Starts a task; it is on disk when this resolves.
   *
   * @throws {TaskError} `unknown_kind`, `invalid_input`, `idempotency_conflict` (same key, other input), `closed`
   */
  readonly start: (request: TaskRequest) => Promise<Task>;
  /** The task, or undefined if it does not exist or belongs to another owner. @throws {TaskError} `closed` */
  readonly get: (id: string, ownerId: string) => Promise<Task | undefined>;
  /**
   * Cancels a queued task at once. Of a running task it aborts the signal; the task is `cancelled` when its handler throws,
   * and `completed` when the handler finishes all the same. A task that ended is returned as it is. @throws {TaskError} `closed`
   */
  readonly cancel: (id: string, ownerId: string) => Promise<Task | undefined>;
  /**
   * Accepts nothing more, lets running handlers end for up to `deadlineMs`, then aborts their signals and closes the store.
   * Queued tasks stay for the next start. Idempotent.
   *
   * `deadlineMs` is 0 to 2147483647. @default deadlineMs 10_000
   *
   * @throws {RangeError} for any other `deadlineMs`
   */
  readonly close: (options?: { readonly deadlineMs?: number | undefined }) => Promise<void>;
}

/**
 * Opens the engine and takes care of what the last process left: queued tasks run, interrupted ones follow their definition's
 * `onInterrupted`. One engine per file: the file is locked until `close`, or the end of the process.
 *
 * @throws {TaskError} `locked`, `unsupported_store`
 * @throws {TypeError} or {RangeError} naming the option that is wrong
 */
export async function openTaskEngine(options: TaskEngineOptions): Promise<TaskEngine> {
  const { path, definitions, logger, now, concurrency, ttlMs } = resolveTaskEngineOptions(options);
  const store = openSqliteStore(path);
  const runner = createRunner({ store, definitions, concurrency, logger, now });

  function sweep(): void {
    runner.recover();
    store.removeEndedBefore(now() - ttlMs);
    runner.wake();
  }
  try {
    sweep();
  } catch (error) {
    store.close();
    throw error;
  }
  const sweeper = setInterval(() => {
    try {
      sweep();
    } catch (error) {
      logger.error({ err: error }, 'task sweep failed');
    }
  }, SWEEP_INTERVAL_MS).unref();

  let closed: Promise<void> | undefined;

  function findOwned(id: string, ownerId: string): StoredTask | undefined {
    if (closed !== undefined) {
      throw new TaskError('closed');
    }
    const task = store.find(id);
    return task?.ownerId === ownerId ? task : undefined;
  }

  async function shutDown(deadlineMs: number): Promise<void> {
    clearInterval(sweeper);
    try {
      await runner.drain(deadlineMs);
    } finally {
      store.close();
    }
  }

  const close: TaskEngine['close'] = async ({ deadlineMs = 10_000 } = {}) => {
    checkWhole('deadlineMs', deadlineMs, 0, MAX_TIMER_MS);
    await (closed ??= shutDown(deadlineMs));
  };

  return {
    async start({ kind, input, ownerId, idempotencyKey }) {
      if (closed !== undefined) {
        throw new TaskError('closed');
      }
      if (!definitions.has(kind)) {
        throw new TaskError('unknown_kind', kind);
      }
      const copy = parseInput(input);
      if (idempotencyKey !== undefined) {
        const existing = store.findByKey(ownerId, kind, idempotencyKey);
        if (existing !== undefined) {
          if (!isDeepStrictEqual(existing.input, copy)) {
            throw new TaskError('idempotency_conflict');
          }
          return toTask(existing);
        }
      }
      const task: QueuedTask = {
        // All bits random: version 7 ids of one process share their time and most of a counter.
        id: randomUUID(),
        kind,
        ownerId,
        idempotencyKey,
        input: copy,
        state: 'queued',
        attempt: 0,
        progress: { percent: 0, message: '' },
        createdAt: now(),
        updatedAt: now(),
      };
      store.insert(task);
      runner.wake();
      return toTask(task);
    },

    async get(id, ownerId) {
      const task = findOwned(id, ownerId);
      return task && toTask(task);
    },

    async cancel(id, ownerId) {
      const task = findOwned(id, ownerId);
      if (task === undefined) {
        return undefined;
      }
      const next = runner.apply(id, { type: 'cancel' }) ?? task;
      if (next.state === 'running') {
        runner.abort(id, new TaskError('cancelled'));
      }
      return toTask(next);
    },

    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function indexByKind(definitions: readonly TaskDefinition[]): ReadonlyMap<string, TaskDefinition> {
  const byKind = new Map(definitions.map((definition) => [definition.kind, definition]));
  if (byKind.size !== definitions.length) {
    throw new TypeError('definitions must have different kinds, got two of one kind');
  }
  return byKind;
}

function parseInput(input: JsonObject): JsonObject {
  try {
    return snapshot(input);
  } catch (cause) {
    throw new TaskError('invalid_input', undefined, { cause });
  }
}
