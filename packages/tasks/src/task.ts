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
  readonly percent: number;
  readonly message: string;
}

/** Why a task failed: a stable code, and a message that is safe to show. */
export interface TaskFailure {
  readonly code: string;
  readonly message: string;
}

/** A task as its owner sees it. `completed`, `failed` and `cancelled` are final. */
export interface Task {
  /** Unguessable: a random UUID. */
  readonly id: string;
  readonly kind: string;
  readonly state: TaskState;
  readonly progress: TaskProgress;
  readonly input: JsonObject;
  /** Present when `completed`. */
  readonly result?: JsonObject | undefined;
  /** Present when `failed`. */
  readonly error?: TaskFailure | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601; of the last change of state or progress. */
  readonly updatedAt: string;
}

/** State of a {@link Task}. */
export type TaskState = StoredTask['state'];

/** What a running handler may know and do. */
export interface TaskContext {
  readonly taskId: string;
  readonly ownerId: string;
  /** 1 for the first run; grows each time an interrupted task runs again. */
  readonly attempt: number;
  /** Aborts with a `TaskError`: code `cancelled` when the owner cancels, `interrupted` when the server stops. */
  readonly signal: AbortSignal;
  /** Stores progress; percent is kept within 0 to 100. Never rejects: a report that cannot be stored is logged. */
  readonly progress: (update: TaskProgress) => Promise<void>;
}

/** A kind of task and what it does. */
export interface TaskDefinition {
  /** Name of the kind, e.g. `deployment`. */
  readonly kind: string;
  /** What to do with a task whose process died: `fail` it with code `interrupted`, or `retry` work that is safe to repeat. */
  readonly onInterrupted: 'fail' | 'retry';
  /**
   * Does the work and returns its result. A thrown error with string fields `code` and `publicMessage` is stored and shown;
   * anything else is logged and shown as `internal`.
   */
  readonly run: (input: JsonObject, context: TaskContext) => Promise<JsonObject>;
}

interface TaskFields {
  readonly id: string;
  readonly kind: string;
  readonly ownerId: string;
  readonly idempotencyKey: string | undefined;
  readonly input: JsonObject;
  readonly progress: TaskProgress;
  /** Number of the last run, 0 before the first. Fences off the outcome of an earlier run. */
  readonly attempt: number;
  /** In milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A task as it is stored, before it runs. */
export type QueuedTask = TaskFields & { readonly state: 'queued' };
/** A task whose handler runs, or ran when the process died. */
export type RunningTask = TaskFields & { readonly state: 'running'; readonly cancelRequested: boolean };
/** A task in any of its states. */
export type StoredTask =
  | QueuedTask
  | RunningTask
  | (TaskFields & { readonly state: 'completed'; readonly result: JsonObject })
  | (TaskFields & { readonly state: 'failed'; readonly error: TaskFailure })
  | (TaskFields & { readonly state: 'cancelled' });

/** The view of a stored task that its owner gets: no owner, key or attempt. */
export function toTask(stored: StoredTask): Task {
  const { id, kind, state, progress, input } = stored;
  return {
    id,
    kind,
    state,
    progress,
    input,
    createdAt: new Date(stored.createdAt).toISOString(),
    result: stored.state === 'completed' ? stored.result : undefined,
    error: stored.state === 'failed' ? stored.error : undefined,
    updatedAt: new Date(stored.updatedAt).toISOString(),
  };
}

/** A deep copy as JSON stores it, which later changes to the original do not reach. @throws {TypeError} for any other value */
export function snapshot(value: JsonObject): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new TypeError('not a JSON object');
  }
  // What JSON.parse returns is JSON, and the check above leaves only objects.
  return copy as JsonObject;
}
