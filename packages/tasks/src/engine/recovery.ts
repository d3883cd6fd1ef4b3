import { failureOf, TaskError } from '../errors.ts';
import type { TaskLogger } from '../logger.ts';
import type { EndedRecord, RunningRecord } from '../store/task-record.ts';
import type { TaskStore } from '../store/task-store.ts';
import { toTask, type TaskDefinition } from '../task.ts';
import type { Ledger } from './ledger.ts';
import type { TaskRun } from './task-run.ts';

/** How many waiting tasks are ended in one round. */
const MAX_EXPIRED = 100;

/** What recovery works with. */
export interface RecoveryOptions {
  readonly store: TaskStore;
  readonly ledger: Ledger;
  readonly logger: TaskLogger;
  readonly definitions: ReadonlyMap<string, TaskDefinition>;
  readonly workerId: string;
  readonly runs: ReadonlyMap<string, TaskRun>;
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly leaseMs: number;
  readonly maxQueuedMs: number;
}

/** Looks after the tasks that no living worker looks after. */
export interface Recovery {
  /** One round; run one at a time. */
  readonly round: () => Promise<void>;
}

/**
 * A worker is dead when its number has not grown for the length of a lease, by this process's own clock: what a clock on
 * the wall shows, here or there, kills nobody.
 */
export function createRecovery(options: RecoveryOptions): Recovery {
  const { store, ledger, logger, definitions, workerId, runs, elapsed, leaseMs, maxQueuedMs } = options;
  const seen = new Map<string, { readonly beat: number; readonly at: number }>();
  const orphans = new Set<string>();

  /** How long nothing was heard of a worker, in milliseconds. */
  function silenceOf(worker: string, beats: ReadonlyMap<string, number>): number {
    const beat = beats.get(worker) ?? 0;
    const known = seen.get(worker);
    if (known?.beat !== beat) {
      seen.set(worker, { beat, at: elapsed() });
      return 0;
    }
    return elapsed() - known.at;
  }

  /** What nobody here knows how to do is another version's, and left to it for as long as a task may wait. */
  const patienceOf = (kind: string) => (definitions.has(kind) ? leaseMs : maxQueuedMs);

  async function interrupt({ id, kind, attempt }: RunningRecord): Promise<void> {
    const policy = definitions.get(kind)?.onInterrupted ?? 'fail';
    const next = await ledger.apply(id, { type: 'interrupt', policy, crashed: true }, attempt);
    if (next !== undefined) {
      logger.warn({ taskId: id, kind, state: next.state }, 'task was interrupted');
    }
  }

  /** The store gave it to this worker, which never heard of that: nothing of it has begun. */
  async function handBack({ id, kind, attempt }: RunningRecord): Promise<void> {
    if (await ledger.apply(id, { type: 'interrupt', policy: 'resume', crashed: false }, attempt)) {
      logger.warn({ taskId: id, kind }, 'task was taken and not begun');
    }
  }

  async function settle(record: EndedRecord): Promise<void> {
    const { id, kind } = record;
    const onEnd = definitions.get(kind)?.onEnd;
    await onEnd?.(toTask(record), (await store.input(id)) ?? {});
    await store.replace(record, { ...record, isSettled: true, revision: record.revision + 1 });
  }

  async function expireWaiting(): Promise<void> {
    const error = failureOf(new TaskError('expired'));
    for (const { id } of await store.waiting(options.now() - maxQueuedMs, MAX_EXPIRED)) {
      await ledger.apply(id, { type: 'fail', error }, 0);
    }
  }

  /** Of this worker and without a handler: twice in a row, as a task that is just being taken has none yet. */
  function isOrphan({ id, attempt }: RunningRecord): boolean {
    const key = `${id} ${attempt}`;
    if (runs.has(id)) {
      return false;
    }
    const isKnown = orphans.has(key);
    orphans.add(key);
    return isKnown;
  }

  async function watchOver(running: readonly RunningRecord[], beats: ReadonlyMap<string, number>) {
    const own = running.filter((record) => record.workerId === workerId);
    for (const key of orphans) {
      if (!own.some(({ id, attempt }) => key === `${id} ${attempt}`)) {
        orphans.delete(key);
      }
    }
    for (const record of running) {
      if (record.workerId === workerId) {
        if (isOrphan(record)) {
          await handBack(record);
        }
      } else if (silenceOf(record.workerId, beats) >= patienceOf(record.kind)) {
        await interrupt(record);
      }
    }
  }

  async function settleAll(beats: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
    const needed = new Set<string>();
    for (const record of await store.unsettled()) {
      needed.add(record.workerId);
      // Its own worker first, so that no end is told twice without need.
      if (record.workerId === workerId || silenceOf(record.workerId, beats) >= patienceOf(record.kind)) {
        await settle(record).catch((error: unknown) =>
          logger.error({ err: error, taskId: record.id }, 'end of a task not settled yet'),
        );
      }
    }
    return needed;
  }

  async function forgetDead(needed: ReadonlySet<string>, beats: ReadonlyMap<string, number>): Promise<void> {
    const dead = [...beats.keys()].filter(
      (id) => id !== workerId && !needed.has(id) && silenceOf(id, beats) >= leaseMs,
    );
    await store.removeWorkers(dead);
    for (const id of seen.keys()) {
      if (!beats.has(id) && !needed.has(id)) {
        seen.delete(id);
      }
    }
  }

  return {
    async round() {
      const known = [...runs.values()];
      const running = await store.running();
      known.forEach((run) => run.observe(running.find(({ id }) => id === run.id)));
      const beats = await store.beats();
      await watchOver(running, beats);
      await expireWaiting();
      const unsettled = await settleAll(beats);
      await forgetDead(new Set([...unsettled, ...running.map((record) => record.workerId)]), beats);
    },
  };
}
