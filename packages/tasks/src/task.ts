/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** How far a task is: percent from 0 to 100 and one line for people. */
export interface TaskProgress {
  percent: number;
  message: string;
}

/** Why a task failed: a stable code, and a message that is safe to show. */
export interface TaskFailure {
  code: string;
  message: string;
}

/** A task as its owner sees it. `completed`, `failed` and `cancelled` are final. */
export interface Task {
  /** Unguessable: a random UUID. */
  id: string;
  kind: string;
  state: TaskState;
  progress: TaskProgress;
  input: JsonObject;
  /** Present when `completed`. */
  result?: JsonObject;
  /** Present when `failed`. */
  error?: TaskFailure;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601; of the last change of state or progress. */
  updatedAt: string;
}

/** State of a {@link Task}. */
export type TaskState = StoredTask['state'];

/** What a running handler may know and do. */
export interface TaskContext {
  taskId: string;
  ownerId: string;
  /** 1 for the first run; grows each time an interrupted task runs again. */
  attempt: number;
  /** Aborts with a `TaskError`: code `cancelled` when the owner cancels, `interrupted` when the server stops. */
  signal: AbortSignal;
  /** Stores progress; percent is kept within 0 to 100. Never rejects: a report that cannot be stored is logged. */
  progress: (update: TaskProgress) => Promise<void>;
}

/** A kind of task and what it does. */
export interface TaskDefinition {
  /** Name of the kind, e.g. `deployment`. */
  kind: string;
  /** What to do with a task whose process died: `fail` it with code `interrupted`, or `retry` work that is safe to repeat. */
  onInterrupted: 'fail' | 'retry';
  /**
   * Does the work and returns its result. A thrown error with string fields `code` and `publicMessage` is stored and shown;
   * anything else is logged and shown as `internal`.
   */
  run(input: JsonObject, context: TaskContext): Promise<JsonObject>;
}

interface TaskFields {
  id: string;
  kind: string;
  ownerId: string;
  idempotencyKey: string | undefined;
  input: JsonObject;
  progress: TaskProgress;
  /** Number of the last run, 0 before the first. Fences off the outcome of an earlier run. */
  attempt: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
  updatedAt: number;
}

export type QueuedTask = TaskFields & { state: 'queued' };
export type RunningTask = TaskFields & { state: 'running'; cancelRequested: boolean };
export type StoredTask =
  | QueuedTask
  | RunningTask
  | (TaskFields & { state: 'completed'; result: JsonObject })
  | (TaskFields & { state: 'failed'; error: TaskFailure })
  | (TaskFields & { state: 'cancelled' });

/** The view of a stored task that its owner gets: no owner, key or attempt. */
export function toTask(stored: StoredTask): Task {
  const { id, kind, state, progress, input } = stored;
  const task: Task = {
    id,
    kind,
    state,
    progress,
    input,
    createdAt: new Date(stored.createdAt).toISOString(),
    updatedAt: new Date(stored.updatedAt).toISOString(),
  };
  if (stored.state === 'completed') task.result = stored.result;
  if (stored.state === 'failed') task.error = stored.error;
  return task;
}

/** A deep copy as JSON stores it, which later changes to the original do not reach. @throws TypeError */
export function snapshot(value: JsonObject): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy))
    throw new TypeError('not a JSON object');
  // What JSON.parse returns is JSON, and the check above leaves only objects.
  return copy as JsonObject;
}
