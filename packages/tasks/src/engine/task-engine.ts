import { createHash, randomUUID } from 'node:crypto';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { isUnavailable, TaskError } from '../errors.ts';
import { type JsonObject, type JsonValue, snapshot, sortedText } from '../json.ts';
import { isEnded, type QueuedRecord, type TaskRecord } from '../store/task-record.ts';
import { type Task, type TaskDefinition, toTask } from '../task.ts';
import { insertSurely } from './insert-surely.ts';
import { createLedger } from './ledger.ts';
import { createRecovery } from './recovery.ts';
import { MAX_ROUND_MS, resolveTaskEngineOptions, type TaskEngineOptions } from './task-engine-options.ts';
import {
  readFigures,
  readRunning,
  tellObserver,
  type RunningTask,
  type TaskFigures,
} from './task-figures.ts';
import { createWatchers } from './watchers.ts';
import { createWorker } from './worker.ts';

const GROW_INTERVAL_MS = 60_000;

/** What to start, and for whom. */
export interface TaskRequest {
  /** Kind of one of the definitions. */
  readonly kind: string;
  readonly input: JsonObject;
  /** Who may see and cancel the task; compared as a whole. */
  readonly ownerId: string;
  /** What is being done, in a few words for people. */
  readonly label?: string | undefined;
  /** Starting again with the same owner, kind and key returns the first task. */
  readonly idempotencyKey?: string | undefined;
  /** What a repetition with the same key must have in common with the first. @default the input */
  readonly fingerprint?: JsonValue | undefined;
  /** A random UUID that nobody has used. @default one of the engine's own */
  readonly id?: string | undefined;
}

/** One page of an owner's tasks. */
export interface TaskPage {
  /** Newest first. */
  readonly tasks: readonly Task[];
  /** Where the next page begins. @default there is none */
  readonly nextCursor?: string | undefined;
}

/** Starts, shows and cancels tasks that outlive the request they came from. */
export interface TaskEngine extends AsyncDisposable {
  /** How long an ended task is kept, in milliseconds. */
  readonly ttlMs: number;
  /** Runs tasks of this kind from now on, in this process. @throws {TypeError} when the kind has its handler */
  readonly work: (definition: TaskDefinition) => void;
  /**
   * Starts a task; it is on disk when this resolves.
   *
   * @throws {TaskError} `unknown_kind`, `invalid_input`, `idempotency_conflict` (same key, other input), `quota_exceeded`, `closed`;
   *   `start_unknown` (the store took too long to say)
   */
  readonly start: (request: TaskRequest) => Promise<Task>;
  /** The task, or undefined if it does not exist or belongs to another owner. @throws {TaskError} `closed` */
  readonly get: (id: string, ownerId: string) => Promise<Task | undefined>;
  /** How the tasks of all owners stand, in all processes that share the store; one look at the store. */
  readonly figures: () => Promise<TaskFigures>;
  /**
   * The running tasks of all owners, in all processes that share the store: those that wait for an answer last, each the
   * oldest first. `limit` is 1 to 1000. @default limit 20 @throws {RangeError} for any other `limit`
   */
  readonly running: (options?: { readonly limit?: number | undefined }) => Promise<readonly RunningTask[]>;
  /**
   * What became of a task, whoever owns it: the task once it has ended and whoever follows its end was told, `open`
   * before; `undefined` where there is none.
   */
  readonly settled: (id: string) => Promise<Task | 'open' | undefined>;
  /** The owner's tasks; `limit` is 1 to 1000. @default limit 100 @throws {TaskError} `closed` */
  readonly list: (
    ownerId: string,
    page?: { readonly cursor?: string | undefined; readonly limit?: number | undefined },
  ) => Promise<TaskPage>;
  /**
   * Cancels a task that never ran at once. Of a running task it aborts the signal, in whatever process that is; the task is
   * `cancelled` when its handler throws, and `completed` when the handler finishes all the same. A task that ended is
   * returned as it is. @throws {TaskError} `closed`
   */
  readonly cancel: (
    id: string,
    ownerId: string,
    options?: { readonly reason?: string | undefined },
  ) => Promise<Task | undefined>;
  /** Answers what a task asked; keys that it did not ask, or that are answered, are ignored. @throws {TaskError} `closed` */
  readonly answer: (
    id: string,
    ownerId: string,
    answers: Readonly<Record<string, JsonObject>>,
  ) => Promise<Task | undefined>;
  /** Calls the listener when a task of this owner changes, until the returned function is called. */
  readonly watch: (id: string, ownerId: string, listener: (task: Task) => void) => () => void;
  /**
   * Accepts nothing more, hands back what others may resume, lets other handlers end for up to `deadlineMs`, then aborts
   * their signals and closes the store. Queued tasks stay for the next worker. Idempotent.
   *
   * `deadlineMs` is 0 to 2147483647. @default deadlineMs 10_000
   *
   * @throws {RangeError} for any other `deadlineMs`
   */
  readonly close: (options?: { readonly deadlineMs?: number | undefined }) => Promise<void>;
}

/**
 * Opens the engine: queued tasks run, and those of workers that died follow their definition's `onInterrupted`, one lease
 * after nothing was heard of the worker.
 *
 * @throws {TaskError} `unsupported_store`
 * @throws {TypeError} or {RangeError} naming the option that is wrong
 */
export async function openTaskEngine(options: TaskEngineOptions): Promise<TaskEngine> {
  const resolved = resolveTaskEngineOptions(options);
  const { store, logger, now, elapsed, ttlMs, maxQueuedPerOwner, observer } = resolved;
  const workerId = randomUUID();
  const definitions = new Map<string, TaskDefinition>();
  const ledger = createLedger({ store, workerId, definitions, now, elapsed });
  const shared = { ...resolved, definitions, workerId, ledger };
  const worker = createWorker({ ...shared, progressIntervalMs: MAX_ROUND_MS });
  const recovery = createRecovery({ ...shared, runs: worker.runs });
  const show = (record: TaskRecord) => toTask(record, worker.runs.get(record.id)?.progress());
  const watchers = createWatchers(store, show);
  ledger.onChange(watchers.tell);
  if (observer !== undefined) {
    ledger.onChange((record, event) => tellObserver(observer, record, event));
  }
  ledger.onChange((record) => isEnded(record) && hurry());

  let grownAt = -Infinity;
  let lastRound: Promise<void> | undefined;
  let isDue = false;
  let isOutOfReach = false;

  async function round(): Promise<void> {
    if (elapsed() - grownAt >= GROW_INTERVAL_MS) {
      grownAt = elapsed();
      await ledger.grow();
      await store.removeEnded(ledger.age() - ttlMs);
    }
    if (worker.runs.size > 0) {
      await store.beat(workerId);
      await Promise.all([...worker.runs.values()].map((run) => run.flush()));
    }
    await recovery.round();
    await watchers.look();
    worker.wake();
  }

  /** A store that is out of reach says so in each round, which is worth one line. */
  function failed(error: unknown): void {
    if (!isOutOfReach) {
      logger.error({ err: error }, 'tasks could not be looked after');
    }
    isOutOfReach = isUnavailable(error);
  }

  /** One round at a time; what comes due during one is done after it. */
  function hurry(): void {
    if (lastRound !== undefined) {
      isDue = true;
      return;
    }
    isDue = false;
    lastRound = round()
      .then(() => void (isOutOfReach = false))
      .catch(failed)
      .finally(() => {
        lastRound = undefined;
        if (isDue && closed === undefined) {
          hurry();
        }
      });
  }

  let closed: Promise<void> | undefined;

  function checkOpen(): void {
    if (closed !== undefined) {
      throw new TaskError('closed');
    }
  }

  async function findOwned(id: string, ownerId: string): Promise<TaskRecord | undefined> {
    checkOpen();
    const record = await store.find(id);
    return record?.ownerId === ownerId ? record : undefined;
  }

  function work(definition: TaskDefinition): void {
    if (definitions.has(definition.kind)) {
      throw new TypeError(`definitions must have different kinds, got two of "${definition.kind}"`);
    }
    definitions.set(definition.kind, definition);
    worker.wake();
  }

  try {
    resolved.definitions.forEach(work);
    await round();
  } catch (error) {
    if (!isUnavailable(error)) {
      await store.close();
      throw error;
    }
    failed(error);
  }
  const timer = setInterval(hurry, resolved.roundMs).unref();
  const unsubscribe = store.subscribe?.(hurry);

  async function shutDown(deadlineMs: number): Promise<void> {
    try {
      await worker.drain(deadlineMs);
      clearInterval(timer);
      unsubscribe?.();
      await lastRound;
      // The ends that the drain brought are told by who knows of them.
      await recovery.round();
      await store.removeWorkers([workerId]);
    } catch (error) {
      if (!isUnavailable(error)) {
        throw error;
      }
      // Others take over what this worker leaves, once they can.
      logger.error({ err: error }, 'tasks were left to other workers');
    } finally {
      clearInterval(timer);
      await store.close();
    }
  }

  const close: TaskEngine['close'] = async ({ deadlineMs = 10_000 } = {}) => {
    checkWhole('deadlineMs', deadlineMs, 0, MAX_TIMER_MS);
    await (closed ??= shutDown(deadlineMs));
  };

  return {
    ttlMs,
    work,
    async start(request) {
      checkOpen();
      const { kind, ownerId, idempotencyKey } = request;
      if (!definitions.has(kind)) {
        throw new TaskError('unknown_kind', kind);
      }
      const input = parseInput(request.input);
      const record: QueuedRecord = {
        // All bits random: version 7 ids of one process share their time and most of a counter.
        id: request.id ?? randomUUID(),
        kind,
        ownerId,
        idempotencyKey,
        label: request.label,
        inputDigest: createHash('sha256')
          .update(sortedText(request.fingerprint ?? input))
          .digest('base64url'),
        state: 'queued',
        revision: 0,
        attempt: 0,
        interruptions: 0,
        progress: { percent: 0, message: '' },
        questions: {},
        createdAt: now(),
        updatedAt: now(),
      };
      const insertion = await insertSurely(store, record, input, { maxQueued: maxQueuedPerOwner });
      if (insertion.inserted) {
        worker.wake();
        return toTask(record);
      }
      if (insertion.existing === undefined) {
        throw new TaskError('quota_exceeded', ownerId);
      }
      const { existing } = insertion;
      if (
        existing.ownerId !== ownerId ||
        existing.kind !== kind ||
        existing.inputDigest !== record.inputDigest
      ) {
        throw new TaskError('idempotency_conflict');
      }
      return show(existing);
    },

    async get(id, ownerId) {
      const record = await findOwned(id, ownerId);
      return record && show(record);
    },

    figures: () => readFigures(store, now()),

    async running({ limit = 20 } = {}) {
      checkWhole('limit', limit, 1, 1_000);
      return readRunning(store, now(), limit);
    },

    async settled(id) {
      const record = await store.find(id);
      return record && (isEnded(record) && record.isSettled ? toTask(record) : 'open');
    },

    async list(ownerId, { cursor, limit = 100 } = {}) {
      checkOpen();
      checkWhole('limit', limit, 1, 1_000);
      const records = await store.list(ownerId, { after: cursor, limit: limit + 1 });
      const tasks = records.slice(0, limit).map(show);
      return { tasks, nextCursor: records.length > limit ? tasks.at(-1)?.id : undefined };
    },

    async cancel(id, ownerId, { reason } = {}) {
      const record = await findOwned(id, ownerId);
      return record && show((await ledger.apply(id, { type: 'cancel', reason })) ?? (await current(record)));
    },

    async answer(id, ownerId, answers) {
      const record = await findOwned(id, ownerId);
      return record && show((await ledger.apply(id, { type: 'answer', answers })) ?? (await current(record)));
    },

    watch: watchers.watch,
    close,
    [Symbol.asyncDispose]: () => close(),
  };

  async function current(record: TaskRecord): Promise<TaskRecord> {
    return (await store.find(record.id)) ?? record;
  }
}

function parseInput(input: JsonObject): JsonObject {
  try {
    return snapshot(input);
  } catch (cause) {
    throw new TaskError('invalid_input', undefined, { cause });
  }
}
