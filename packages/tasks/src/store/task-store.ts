import type { JsonObject, JsonValue } from '../json.ts';
import type { EndedRecord, QueuedRecord, RunningRecord, TaskRecord } from './task-record.ts';

/** A new task, and what the store holds of it already. */
export type Insertion =
  | { readonly inserted: true }
  | {
      readonly inserted: false;
      /** The task that has this id, or this owner, kind and idempotency key. @default the owner has too many queued tasks */
      readonly existing?: TaskRecord | undefined;
    };

/** What a worker can take. */
export interface ClaimRequest {
  readonly workerId: string;
  readonly kinds: readonly string[];
  /** The maximum number of running tasks of one owner. */
  readonly maxRunning: number;
  /** In milliseconds since the Unix epoch. */
  readonly at: number;
}

/** A task that a worker has taken, running in its next attempt. */
export interface ClaimedTask {
  readonly record: RunningRecord;
  readonly input: JsonObject;
}

/**
 * Where the tasks of all workers are, and the only thing they share. It keeps; the engine decides. Every write is
 * durable when its promise resolves, and atomic: of two workers that write at once, one comes first. A call that fails
 * rejects, and may be repeated; with the `code` `unavailable`, an engine opens all the same and looks again later, and with
 * `mayBeDone: true` beside it, what was asked may be done all the same. `taskStoreContract` of `@mcp-parts/tasks/testing`
 * has the promises as a suite.
 */
export interface TaskStore {
  /**
   * Stores a task that is new, unless its id or its key is known, or its owner has `maxQueued` queued tasks. One step: fifty
   * at once with one key insert one.
   */
  readonly insert: (
    record: QueuedRecord,
    input: JsonObject,
    limits: { readonly maxQueued: number },
  ) => Promise<Insertion>;
  readonly find: (id: string) => Promise<TaskRecord | undefined>;
  readonly input: (id: string) => Promise<JsonObject | undefined>;
  /** Newest first; `after`: the id of the last task of the page before. */
  readonly list: (
    ownerId: string,
    page: { readonly after?: string | undefined; readonly limit: number },
  ) => Promise<readonly TaskRecord[]>;
  /**
   * Takes a queued task of one of the kinds: of the owner with the fewest running tasks; among those of the one whose
   * turn was longest ago; of that one the oldest. Its attempt and revision grow by one, in the same step.
   */
  readonly claim: (request: ClaimRequest) => Promise<ClaimedTask | undefined>;
  /**
   * Stores `next` if the task still has the revision of `previous`, and says whether it was so. `next` may be queued
   * again: then others can claim it.
   */
  readonly replace: (previous: TaskRecord, next: TaskRecord) => Promise<boolean>;
  /** Stores progress if the task runs in this attempt, and says whether it does. Leaves the revision. */
  readonly report: (
    id: string,
    attempt: number,
    progress: TaskRecord['progress'],
    at: number,
  ) => Promise<boolean>;
  /** Stores the result of a step if the task runs in this attempt, and says whether it does. */
  readonly saveStep: (id: string, attempt: number, name: string, result: JsonValue) => Promise<boolean>;
  readonly steps: (id: string) => Promise<ReadonlyMap<string, JsonValue>>;
  /** Every running task, of all workers. */
  readonly running: () => Promise<readonly RunningRecord[]>;
  /** Queued tasks that never ran and were created before `createdBefore`, at most `limit`. */
  readonly waiting: (createdBefore: number, limit: number) => Promise<readonly QueuedRecord[]>;
  /** Tasks whose end is not settled. */
  readonly unsettled: () => Promise<readonly EndedRecord[]>;
  /** Says that a worker lives: its number grows. */
  readonly beat: (workerId: string) => Promise<void>;
  /** The numbers of all workers. A worker that is not in it is dead. */
  readonly beats: () => Promise<ReadonlyMap<string, number>>;
  /** Forgets workers. */
  readonly removeWorkers: (workerIds: readonly string[]) => Promise<void>;
  /**
   * The age of the store, in milliseconds: it grows, over all processes, by the time that has passed since it last grew
   * by the clock on the wall (`at`), but never by more than `elapsedMs`, what a process has seen pass. A clock that is
   * set ahead ages nothing.
   */
  readonly grow: (at: number, elapsedMs: number) => Promise<number>;
  /** Removes settled tasks, with their input and steps, that ended at an age before `age`. */
  readonly removeEnded: (age: number) => Promise<void>;
  /** Tells of tasks that changed or came, of whatever process, where the store hears of it. @default nobody is told */
  readonly subscribe?: ((listener: () => void) => () => void) | undefined;
  readonly close: () => Promise<void>;
}
