import { setTimeout as delay } from 'node:timers/promises';

import { failureOf, isUnavailable, TaskError } from '../errors.ts';
import { type JsonObject, type JsonValue, snapshot } from '../json.ts';
import type { TaskLogger } from '../logger.ts';
import type { RunningRecord } from '../store/task-record.ts';
import type { ClaimedTask, TaskStore } from '../store/task-store.ts';
import type { TaskContext, TaskDefinition, TaskFailure, TaskProgress } from '../task.ts';
import type { Ledger } from './ledger.ts';
import type { TaskEvent } from './transition.ts';

const MAX_MESSAGE_LENGTH = 1_000;
const MAX_RESULT_LENGTH = 2 ** 20;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

/** What a run works with. */
export interface RunOptions {
  readonly store: TaskStore;
  readonly ledger: Ledger;
  readonly logger: TaskLogger;
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly progressIntervalMs: number;
}

/** One attempt at a task, in this process. */
export interface TaskRun {
  readonly id: string;
  readonly attempt: number;
  readonly definition: TaskDefinition;
  /** The last that the handler told, which may be newer than what is stored. */
  readonly progress: () => TaskProgress;
  readonly abort: (error: TaskError) => void;
  /** Takes note of what others did to the task: answers, a cancellation, a new attempt elsewhere. */
  readonly observe: (record: RunningRecord | undefined) => void;
  /** Stores progress that is not stored. */
  readonly flush: () => Promise<void>;
  /** Runs the handler once and says how it ended. Never rejects. */
  readonly run: () => Promise<TaskEvent>;
}

/** Prepares an attempt. */
export function createRun(
  { record, input }: ClaimedTask,
  definition: TaskDefinition,
  options: RunOptions,
): TaskRun {
  const { store, ledger, logger } = options;
  const { id, attempt, ownerId } = record;
  const controller = new AbortController();
  const { signal } = controller;
  const answers = new Map<string, JsonObject>();
  const waiting = new Map<string, (answer: JsonObject) => void>();
  const given = new Map<string, Promise<JsonValue>>();
  let progress: TaskProgress = record.progress;
  let stored = progress;
  let storedAt = -Infinity;
  let steps: Promise<ReadonlyMap<string, JsonValue>> | undefined;

  function observe(current: RunningRecord | undefined): void {
    if (current?.attempt !== attempt) {
      controller.abort(new TaskError('lease_lost'));
      return;
    }
    if (current.cancel !== undefined) {
      controller.abort(new TaskError('cancelled', current.cancel.reason));
    }
    for (const [key, { answer }] of Object.entries(current.questions)) {
      if (answer !== undefined) {
        answers.set(key, answer);
        waiting.get(key)?.(answer);
      }
    }
  }

  async function flush(): Promise<void> {
    if (progress === stored) {
      return;
    }
    const told = progress;
    storedAt = options.elapsed();
    try {
      await store.report(id, attempt, told, options.now());
      stored = told;
    } catch (error) {
      logger.warn({ err: error, taskId: id }, 'task progress not stored');
    }
  }

  const context: TaskContext = {
    taskId: id,
    ownerId,
    attempt,
    signal,
    progress({ percent, message }) {
      progress = {
        percent: Math.min(100, Math.max(0, percent)) || 0,
        message: message.slice(0, MAX_MESSAGE_LENGTH),
      };
      if (options.elapsed() - storedAt >= options.progressIntervalMs) {
        void flush();
      }
    },
    step<T extends JsonValue>(name: string, work: () => T | Promise<T>): Promise<T> {
      const running = given.get(name) ?? step(name, work);
      given.set(name, running);
      // One that has failed may be tried again.
      running.catch(() => given.delete(name));
      // What was given under this name is what this work gave.
      return running as Promise<T>;
    },
    async ask(key, question) {
      const known = answers.get(key);
      if (known !== undefined) {
        return known;
      }
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
      const onAbort = () => reject(signal.reason);
      // Whoever aborts while the question is stored is heard, too; it may be that nobody waits yet.
      promise.catch(() => undefined);
      waiting.set(key, resolve);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        signal.throwIfAborted();
        const event = { type: 'ask', key, question: snapshot(question) } as const;
        await onceReached(() => ledger.apply(id, event, attempt));
        const current = await onceReached(() => store.find(id));
        observe(current?.state === 'running' ? current : undefined);
        return await promise;
      } finally {
        waiting.delete(key);
        signal.removeEventListener('abort', onAbort);
      }
    },
  };

  async function step(name: string, work: () => JsonValue | Promise<JsonValue>): Promise<JsonValue> {
    steps ??= onceReached(() => store.steps(id));
    const known = (await steps).get(name);
    if (known !== undefined) {
      return known;
    }
    signal.throwIfAborted();
    const result = await work();
    if (!(await onceReached(() => store.saveStep(id, attempt, name, result)))) {
      throw new TaskError('lease_lost');
    }
    return result;
  }

  /** What a run has to tell a store that is out of reach can wait: its work goes on elsewhere, or is done. */
  async function onceReached<T>(tell: () => Promise<T>): Promise<T> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        return await tell();
      } catch (error) {
        if (!isUnavailable(error)) {
          throw error;
        }
        logger.warn({ err: error, taskId: id }, 'a task waits for its store');
      }
      await delay(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  return {
    id,
    attempt,
    definition,
    progress: () => progress,
    abort: (error) => controller.abort(error),
    observe,
    flush,
    async run() {
      observe(record);
      try {
        const result = snapshot(await definition.run(input, context));
        if (JSON.stringify(result).length > MAX_RESULT_LENGTH) {
          throw new TaskError('result_too_large');
        }
        return { type: 'complete', result };
      } catch (error) {
        return isInterruption(signal)
          ? { type: 'interrupt', policy: definition.onInterrupted ?? 'fail', crashed: false }
          : { type: 'fail', error: describeFailure(record, error, signal, logger) };
      }
    },
  };
}

function describeFailure(
  { id, kind, attempt }: RunningRecord,
  error: unknown,
  signal: AbortSignal,
  logger: TaskLogger,
): TaskFailure {
  const failure = failureOf(error);
  const fields = { err: error, taskId: id, kind, attempt, code: failure.code };
  try {
    log();
  } catch {
    // Of what cannot be read, a log can at least say that.
    logger.error({ ...fields, err: undefined }, 'task failed with an error that cannot be read');
  }
  return failure;

  function log(): void {
    if (signal.aborted) {
      logger.info(fields, 'task ended after cancellation');
    } else if (failure.code === 'internal') {
      logger.error(fields, 'task failed for an internal reason');
    } else {
      logger.warn(fields, 'task failed');
    }
  }
}

function isInterruption({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof TaskError && reason.code === 'interrupted';
}
