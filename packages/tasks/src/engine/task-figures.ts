import { isEnded, type RunningRecord, type TaskRecord } from '../store/task-record.ts';
import type { TaskStore } from '../store/task-store.ts';
import { toTask, type TaskProgress } from '../task.ts';
import type { TaskEvent } from './transition.ts';

/** More waiting tasks than these are counted as so many. */
const MAX_COUNTED = 1_000;

/** How a store's tasks stand, those of all its workers. Ages are in milliseconds, 0 where there is nothing. */
export interface TaskFigures {
  /** Tasks that wait for their first run, up to 1000. */
  readonly queued: number;
  readonly running: number;
  /** Running tasks that wait for an answer. */
  readonly inputRequired: number;
  /** Of those queued, how long the first has waited. */
  readonly queueAgeMs: number;
  /** Of those running, how long the one that has been silent for longest has neither changed nor reported. */
  readonly silenceMs: number;
}

/** A task that has been taken, for whoever looks after all of them: without its owner, its input and its id. */
export interface RunningTask {
  readonly kind: string;
  /** `input_required`: it waits for an answer. */
  readonly state: 'running' | 'input_required';
  /** The number of its run, from 1. */
  readonly attempt: number;
  /** The last that was stored, in the handler's own words. */
  readonly progress: TaskProgress;
  /** Since it was started, in milliseconds. */
  readonly ageMs: number;
  /** Since it last changed or reported, in milliseconds. */
  readonly silenceMs: number;
}

/** Told of what one engine does to tasks, to be measured. Nothing may be thrown. */
export interface TaskObserver {
  /** A task has ended; `durationMs` since it was started. */
  readonly ended: (task: {
    readonly kind: string;
    readonly state: 'completed' | 'failed' | 'cancelled';
    readonly durationMs: number;
  }) => void;
  /** A run has ended without an outcome: its process died, or handed it back when it stopped. */
  readonly interrupted: (run: { readonly kind: string; readonly how: 'crashed' | 'handed_back' }) => void;
}

/** Reads them; `now` is that of the clock by which tasks are dated. */
export async function readFigures(store: TaskStore, now: number): Promise<TaskFigures> {
  // All of them: a clock that was set back has dated some to come.
  const [waiting, running] = await Promise.all([
    store.waiting(Number.MAX_SAFE_INTEGER, MAX_COUNTED),
    store.running(),
  ]);
  const states = running.map((record) => ({ state: stateOf(record), at: record.updatedAt }));
  const working = states.filter(({ state }) => state === 'running');
  return {
    queued: waiting.length,
    running: working.length,
    inputRequired: states.length - working.length,
    queueAgeMs: longest(waiting.map(({ createdAt }) => now - createdAt)),
    silenceMs: longest(working.map(({ at }) => now - at)),
  };
}

/** Those that run before those that wait for an answer, each the oldest first; `now` as for the figures. */
export async function readRunning(
  store: TaskStore,
  now: number,
  limit: number,
): Promise<readonly RunningTask[]> {
  const waits = (record: RunningRecord) => Number(stateOf(record) === 'input_required');
  return (await store.running())
    .toSorted((a, b) => waits(a) - waits(b) || a.createdAt - b.createdAt)
    .slice(0, limit)
    .map((record) => ({
      kind: record.kind,
      state: stateOf(record),
      attempt: record.attempt,
      progress: record.progress,
      ageMs: Math.max(0, now - record.createdAt),
      silenceMs: Math.max(0, now - record.updatedAt),
    }));
}

function stateOf(record: RunningRecord): RunningTask['state'] {
  return toTask(record).state === 'input_required' ? 'input_required' : 'running';
}

function longest(ages: readonly number[]): number {
  return ages.reduce((most, age) => Math.max(most, age), 0);
}

/** Tells an observer what an event has made of a task. */
export function tellObserver(observer: TaskObserver, record: TaskRecord, event: TaskEvent): void {
  const { kind, createdAt, updatedAt } = record;
  if (event.type === 'interrupt') {
    observer.interrupted({ kind, how: event.crashed ? 'crashed' : 'handed_back' });
  }
  if (isEnded(record)) {
    observer.ended({ kind, state: record.state, durationMs: Math.max(0, updatedAt - createdAt) });
  }
}
