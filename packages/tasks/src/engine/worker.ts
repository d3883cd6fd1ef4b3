import { setTimeout as delay } from 'node:timers/promises';

import { TaskError } from '../errors.ts';
import type { TaskRecord } from '../store/task-record.ts';
import type { TaskDefinition } from '../task.ts';
import { createRun, type RunOptions, type TaskRun } from './task-run.ts';
import type { TaskEvent } from './transition.ts';

/** How long handlers get to end after their signal aborted because the server stops. */
const UNWIND_MS = 1_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

/** What a worker works with. */
export interface WorkerOptions extends RunOptions {
  readonly workerId: string;
  readonly definitions: ReadonlyMap<string, TaskDefinition>;
  readonly concurrency: number;
  readonly maxRunningPerOwner: number;
}

/** Takes queued tasks and runs them in this process. */
export interface Worker {
  /** Looks for queued tasks soon. */
  readonly wake: () => void;
  /** The attempts that run here, by the id of their task. */
  readonly runs: ReadonlyMap<string, TaskRun>;
  /**
   * Takes nothing more and lets handlers end: those whose task is resumed elsewhere at once, the others up to
   * `deadlineMs`. Then it hands back, or ends, what is left.
   */
  readonly drain: (deadlineMs: number) => Promise<void>;
}

/** Creates a worker that has not looked for tasks yet. */
export function createWorker(options: WorkerOptions): Worker {
  const { store, ledger, logger, workerId, definitions, concurrency, maxRunningPerOwner } = options;
  const runs = new Map<string, TaskRun>();
  const ends = new Map<string, Promise<void>>();
  const drained = new AbortController();
  let isOpen = true;
  let looking: 'no' | 'yes' | 'again' = 'no';
  let lastLook = Promise.resolve();

  function wake(): void {
    if (looking !== 'no') {
      looking = 'again';
      return;
    }
    looking = 'yes';
    setImmediate(() => {
      lastLook = look();
    });
  }

  async function look(): Promise<void> {
    try {
      await takeQueued();
    } catch (error) {
      // The tasks stay queued; the next look tries again.
      logger.error({ err: error }, 'queued tasks could not be started');
    }
    const again = looking === 'again';
    looking = 'no';
    if (again) {
      wake();
    }
  }

  async function takeQueued(): Promise<void> {
    for (;;) {
      if (!isOpen || runs.size >= concurrency) {
        return;
      }
      const claimed = await store.claim({
        workerId,
        kinds: [...definitions.keys()],
        maxRunning: maxRunningPerOwner,
        at: options.now(),
      });
      const definition = claimed && definitions.get(claimed.record.kind);
      if (claimed === undefined || definition === undefined) {
        return;
      }
      if (!isOpen) {
        const { id, attempt } = claimed.record;
        // It was taken while the worker was told to stop, and has not begun: that is no interruption.
        await ledger.apply(id, { type: 'interrupt', policy: 'resume', crashed: false }, attempt);
        return;
      }
      begin(createRun(claimed, definition, options));
      await store.beat(workerId);
    }
  }

  function begin(run: TaskRun): void {
    runs.set(run.id, run);
    ends.set(
      run.id,
      run
        .run()
        .then((event) => conclude(run, event))
        .finally(() => {
          runs.delete(run.id);
          ends.delete(run.id);
          wake();
        }),
    );
  }

  /** Stores how a run ended, however long that takes: an outcome is never made up, and never dropped while we live. */
  async function conclude(run: TaskRun, event: TaskEvent): Promise<void> {
    await run.flush();
    for (
      let retryMs = FIRST_RETRY_MS;
      !drained.signal.aborted;
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
    ) {
      try {
        if ((await ledger.apply(run.id, event, run.attempt)) === undefined) {
          logger.warn({ taskId: run.id, attempt: run.attempt }, 'outcome of an earlier attempt refused');
        }
        return;
      } catch (error) {
        logger.error({ err: error, taskId: run.id, event: event.type }, 'outcome of a task not stored yet');
      }
      await delay(retryMs, undefined, { signal: drained.signal }).catch(() => undefined);
    }
  }

  async function drain(deadlineMs: number): Promise<void> {
    isOpen = false;
    // What it is taking just now is known then.
    await settledWithin([lastLook], UNWIND_MS);
    const stop = (run: TaskRun) => run.abort(new TaskError('interrupted'));
    const isResumed = ({ definition }: TaskRun) => definition.onInterrupted === 'resume';
    [...runs.values()].filter(isResumed).forEach(stop);
    await settledWithin(ends.values(), deadlineMs);
    runs.forEach(stop);
    await settledWithin(ends.values(), UNWIND_MS);
    drained.abort();
    for (const { id, attempt, definition } of runs.values()) {
      logger.warn({ taskId: id, kind: definition.kind }, 'task ignored its signal and was abandoned');
      const policy = definition.onInterrupted ?? 'fail';
      await ledger.apply(id, { type: 'interrupt', policy, crashed: false }, attempt);
    }
  }

  ledger.onChange((record) => notice(record, runs, wake));
  return { wake, runs, drain };
}

/** What this process did to a task that runs here is known at once, and what came back to the queue is taken. */
function notice(record: TaskRecord, runs: ReadonlyMap<string, TaskRun>, wake: () => void): void {
  if (record.state === 'running') {
    runs.get(record.id)?.observe(record);
  } else if (record.state === 'queued') {
    wake();
  }
}

async function settledWithin(ends: Iterable<Promise<void>>, timeoutMs: number): Promise<void> {
  const all = [...ends];
  if (all.length === 0) {
    return;
  }
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  await Promise.race([Promise.all(all), timeout.promise]);
  clearTimeout(timer);
}
