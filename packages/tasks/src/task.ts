import type { JsonObject, JsonValue } from './json.ts';
import type { TaskRecord } from './store/task-record.ts';

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
  /** What is being done, in the words of who started it. */
  readonly label?: string | undefined;
  readonly state: TaskState;
  readonly progress: TaskProgress;
  /** What a running task waits for an answer to, by key. Empty unless the state is `input_required`. */
  readonly questions: Readonly<Record<string, JsonObject>>;
  /** Present when `completed`. */
  readonly result?: JsonObject | undefined;
  /** Present when `failed`. */
  readonly error?: TaskFailure | undefined;
  /** Whether its owner asked for the end, which a handler may be too far for. */
  readonly isCancelRequested: boolean;
  /** Why, in the words of who cancelled it. */
  readonly cancelReason?: string | undefined;
  /** The number of its last run; 0 before the first. */
  readonly attempt: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601; of the last change of state or progress. */
  readonly updatedAt: string;
}

/** State of a {@link Task}. `input_required`: it runs, and waits for an answer. */
export type TaskState = 'queued' | 'running' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** What a running handler may know and do. */
export interface TaskContext {
  readonly taskId: string;
  readonly ownerId: string;
  /** 1 for the first run; grows each time the task runs again. */
  readonly attempt: number;
  /**
   * Aborts with a `TaskError`: code `cancelled` when the owner cancels, `interrupted` when the server stops, `lease_lost`
   * when another worker has taken the task because this one was not heard of.
   */
  readonly signal: AbortSignal;
  /**
   * Tells how far the task is; percent is kept within 0 to 100. The last of many reports in a second is the one that is
   * stored. Never throws: a report that cannot be stored is logged.
   */
  readonly progress: (update: TaskProgress) => void;
  /** Does the work once, and gives its stored result in every later run. The name is unique within the task. */
  readonly step: <T extends JsonValue>(name: string, work: () => T | Promise<T>) => Promise<T>;
  /**
   * Asks the owner, and waits. In a later run the same key gets the answer that is there. Rejects when the signal
   * aborts.
   */
  readonly ask: (key: string, question: JsonObject) => Promise<JsonObject>;
}

/** A kind of task and what it does. */
export interface TaskDefinition {
  /** Name of the kind, e.g. `deployment`. */
  readonly kind: string;
  /**
   * What becomes of a task whose process died or was stopped: it ends as failed with the code `interrupted`, or it runs
   * again. Choose `resume` for work that finds what it did before, as by an idempotency key. @default 'fail'
   */
  readonly onInterrupted?: 'fail' | 'resume' | undefined;
  /**
   * Does the work and returns its result. A thrown error with string fields `code` and `publicMessage` is stored and shown;
   * anything else is logged and shown as `internal`.
   */
  readonly run: (input: JsonObject, context: TaskContext) => Promise<JsonObject>;
  /**
   * Told of the end of each task, however it came, once that is stored: also of one that never ran, or whose process
   * died. Called again, perhaps in another process, until it resolves, and so sometimes twice. @default nobody is told
   */
  readonly onEnd?: ((task: Task, input: JsonObject) => Promise<void>) | undefined;
}

/** The view of a stored task that its owner gets: no owner, key or worker. */
export function toTask(record: TaskRecord, progress: TaskProgress = record.progress): Task {
  const { id, kind, label, cancel, attempt, createdAt, updatedAt } = record;
  const questions =
    record.state === 'running'
      ? Object.fromEntries(
          Object.entries(record.questions).flatMap(([key, { question, answer }]) =>
            answer === undefined ? [[key, question]] : [],
          ),
        )
      : {};
  return {
    id,
    kind,
    label,
    state: record.state === 'running' && Object.keys(questions).length > 0 ? 'input_required' : record.state,
    progress,
    questions,
    result: record.state === 'completed' ? record.result : undefined,
    error: record.state === 'failed' ? record.error : undefined,
    isCancelRequested: cancel !== undefined,
    cancelReason: cancel?.reason,
    attempt,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
