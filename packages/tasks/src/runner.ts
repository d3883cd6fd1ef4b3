import { TaskError } from './errors.ts';
import type { TaskLogger } from './logger.ts';
import type { TaskStore } from './sqlite-store.ts';
import { failureOf, runTask } from './task-run.ts';
import type { RunningTask, StoredTask, TaskDefinition } from './task.ts';
import { type TaskEvent, transition } from './transition.ts';

/** How long handlers get to end after their signal aborted because the server stops. */
const UNWIND_MS = 1_000;

/** What a runner works with. */
export interface RunnerOptions {
  readonly store: TaskStore;
  readonly definitions: ReadonlyMap<string, TaskDefinition>;
  readonly concurrency: number;
  readonly logger: TaskLogger;
  readonly now: () => number;
}

/** Runs queued tasks in this process. */
export interface Runner {
  /** Looks for queued tasks soon. */
  readonly wake: () => void;
  /** Applies `event` to a task and stores the outcome; undefined where it changed nothing. */
  readonly apply: (id: string, event: TaskEvent) => StoredTask | undefined;
  /** Aborts the signal of a task that runs here. */
  readonly abort: (id: string, reason: TaskError) => void;
  /** Ends, or queues again, every task that is marked as running but has no handler here. */
  readonly recover: () => void;
  /** Starts nothing more, waits up to `deadlineMs` for handlers to end, then aborts their signals. */
  readonly drain: (deadlineMs: number) => Promise<void>;
}

interface Run {
  readonly attempt: number;
  readonly definition: TaskDefinition;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

/** Creates a runner that has not looked for tasks yet. */
export function createRunner({ store, definitions, concurrency, logger, now }: RunnerOptions): Runner {
  const runs = new Map<string, Run>();
  let wakeScheduled = false;
  let state: 'running' | 'draining' | 'drained' = 'running';

  function apply(id: string, event: TaskEvent, attempt?: number): StoredTask | undefined {
    return applyTo(store, id, event, { at: now(), attempt });
  }

  function wake(): void {
    if (wakeScheduled) {
      return;
    }
    wakeScheduled = true;
    setImmediate(() => {
      wakeScheduled = false;
      try {
        startQueued();
      } catch (error) {
        // The task stays queued; the next wake, at the latest the periodic sweep, tries again.
        logger.error({ err: error }, 'queued tasks could not be started');
      }
    });
  }

  function startQueued(): void {
    while (runs.size < concurrency) {
      const queued = state === 'running' ? store.nextQueued() : undefined;
      if (queued === undefined) {
        return;
      }
      const definition = definitions.get(queued.kind);
      if (definition === undefined) {
        // Queued by an earlier version of the server that still had this kind.
        apply(queued.id, { type: 'fail', error: failureOf(new TaskError('unknown_kind')) });
        continue;
      }
      const claimed = apply(queued.id, { type: 'claim' });
      if (claimed?.state === 'running') {
        begin(claimed, definition);
      }
    }
  }

  function begin(task: RunningTask, definition: TaskDefinition): void {
    const controller = new AbortController();
    const report = (event: TaskEvent) => record(task, event);
    const ended = runTask(task, definition, { signal: controller.signal, logger, report })
      .then(report)
      .finally(() => {
        runs.delete(task.id);
        wake();
      });
    runs.set(task.id, { attempt: task.attempt, definition, controller, ended });
  }

  /** Stores what a handler reported, unless its task has moved on without it. */
  function record(task: RunningTask, event: TaskEvent): void {
    if (state === 'drained') {
      return;
    }
    try {
      apply(task.id, event, task.attempt);
    } catch (error) {
      // A lost outcome leaves the task marked as running; `recover` ends it once the store works again.
      logger.error({ err: error, taskId: task.id, event: event.type }, 'task could not be updated');
    }
  }

  function recover(): void {
    for (const task of store.listRunning().filter(({ id }) => !runs.has(id))) {
      const policy = definitions.get(task.kind)?.onInterrupted ?? 'fail';
      const next = apply(task.id, { type: 'interrupt', policy });
      logger.warn({ taskId: task.id, kind: task.kind, state: next?.state }, 'task was interrupted');
    }
  }

  async function drain(deadlineMs: number): Promise<void> {
    state = 'draining';
    await endOf(runs.values(), deadlineMs);
    for (const { controller } of runs.values()) {
      controller.abort(new TaskError('interrupted'));
    }
    await endOf(runs.values(), UNWIND_MS);
    for (const [id, { attempt, definition }] of runs) {
      logger.warn({ taskId: id, kind: definition.kind }, 'task ignored its signal and was abandoned');
      apply(id, { type: 'interrupt', policy: definition.onInterrupted }, attempt);
    }
    state = 'drained';
  }

  return {
    wake,
    apply: (id, event) => apply(id, event),
    abort: (id, reason) => runs.get(id)?.controller.abort(reason),
    recover,
    drain,
  };
}

/** Stores what becomes of a task, if it is still in the attempt that the event speaks of. */
function applyTo(
  store: TaskStore,
  id: string,
  event: TaskEvent,
  { at, attempt }: { readonly at: number; readonly attempt: number | undefined },
): StoredTask | undefined {
  const task = store.find(id);
  if (task === undefined || (attempt !== undefined && task.attempt !== attempt)) {
    return undefined;
  }
  const next = transition(task, event, at);
  return next !== undefined && store.replace(task, next) ? next : undefined;
}

async function endOf(runs: Iterable<Run>, timeoutMs: number): Promise<void> {
  const ends = [...runs].map(({ ended }) => ended);
  if (ends.length === 0) {
    return;
  }
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  await Promise.race([Promise.all(ends), timeout.promise]);
  clearTimeout(timer);
}
