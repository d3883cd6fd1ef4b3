import { failureOf, TaskError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { EndedRecord, RunningRecord, TaskRecord } from '../store/task-record.ts';
import type { TaskDefinition, TaskFailure } from '../task.ts';

/** What can happen to a task besides a claim, which is the store's. */
export type TaskEvent =
  | { readonly type: 'complete'; readonly result: JsonObject }
  | { readonly type: 'fail'; readonly error: TaskFailure }
  | { readonly type: 'cancel'; readonly reason?: string | undefined }
  | { readonly type: 'ask'; readonly key: string; readonly question: JsonObject }
  | { readonly type: 'answer'; readonly answers: Readonly<Record<string, JsonObject>> }
  /** `crashed`: its process died; otherwise it was stopped, and handed the task back. */
  | {
      readonly type: 'interrupt';
      readonly policy: NonNullable<TaskDefinition['onInterrupted']>;
      readonly crashed: boolean;
    };

/** When and where it happens. */
export interface Occasion {
  /** In milliseconds since the Unix epoch. */
  readonly at: number;
  /** The age of the store. */
  readonly age: number;
  readonly workerId: string;
}

/** A task that took its process down this often is not tried again. */
export const MAX_INTERRUPTIONS = 20;

/** The task after `event`, or undefined where the event changes nothing. Pure; final states accept no event. */
export function transition(task: TaskRecord, event: TaskEvent, occasion: Occasion): TaskRecord | undefined {
  switch (task.state) {
    case 'queued':
      return fromQueued(task, event, occasion);
    case 'running':
      return fromRunning(task, event, occasion);
    case 'completed':
    case 'failed':
    case 'cancelled':
      return undefined;
    default:
      return task satisfies never;
  }
}

function fromQueued(
  task: TaskRecord & { readonly state: 'queued' },
  event: TaskEvent,
  occasion: Occasion,
): TaskRecord | undefined {
  switch (event.type) {
    case 'fail':
      return { ...ended(task, occasion), state: 'failed', error: event.error };
    case 'cancel':
      // One that ran before may have left something, which its next run finds and undoes.
      if (task.attempt > 0) {
        return task.cancel === undefined
          ? { ...changed(task, occasion), cancel: { reason: event.reason } }
          : undefined;
      }
      return { ...ended(task, occasion), state: 'cancelled', cancel: { reason: event.reason } };
    case 'complete':
    case 'ask':
    case 'answer':
    case 'interrupt':
      return undefined;
    default:
      return event satisfies never;
  }
}

function fromRunning(task: RunningRecord, event: TaskEvent, occasion: Occasion): TaskRecord | undefined {
  switch (event.type) {
    case 'complete':
      // Also after a cancel request: the work was done, and saying otherwise would mislead its owner.
      return {
        ...ended(task, occasion),
        state: 'completed',
        progress: { ...task.progress, percent: 100 },
        result: event.result,
      };
    case 'fail':
      return task.cancel === undefined
        ? { ...ended(task, occasion), state: 'failed', error: event.error }
        : { ...ended(task, occasion), state: 'cancelled' };
    case 'cancel':
      return task.cancel === undefined
        ? { ...changed(task, occasion), cancel: { reason: event.reason } }
        : undefined;
    case 'ask':
      // A key is never used twice, and its answer stays.
      return Object.hasOwn(task.questions, event.key)
        ? undefined
        : {
            ...changed(task, occasion),
            questions: { ...task.questions, [event.key]: { question: event.question } },
          };
    case 'answer':
      return answered(task, event.answers, occasion);
    case 'interrupt':
      return interrupted(task, event, occasion);
    default:
      return event satisfies never;
  }
}

/** Keys that nobody asked for, or that have their answer, change nothing. */
function answered(
  task: RunningRecord,
  answers: Readonly<Record<string, JsonObject>>,
  occasion: Occasion,
): TaskRecord | undefined {
  const wanted = Object.entries(answers).flatMap(([key, answer]) => {
    const asked = Object.hasOwn(task.questions, key) ? task.questions[key] : undefined;
    return asked === undefined || asked.answer !== undefined ? [] : [[key, { ...asked, answer }] as const];
  });
  return wanted.length === 0
    ? undefined
    : {
        ...changed(task, occasion),
        questions: { ...task.questions, ...Object.fromEntries(wanted) },
      };
}

function interrupted(
  task: RunningRecord,
  { policy, crashed }: TaskEvent & { readonly type: 'interrupt' },
  occasion: Occasion,
): TaskRecord {
  const interruptions = task.interruptions + (crashed ? 1 : 0);
  if (policy === 'fail' || interruptions >= MAX_INTERRUPTIONS) {
    return { ...ended(task, occasion), interruptions, state: 'failed', error: INTERRUPTED };
  }
  // Also one that is to be cancelled: its next run finds what there is to undo.
  const { workerId: _, ...rest } = changed(task, occasion);
  return { ...rest, interruptions, state: 'queued' };
}

function changed<Task extends TaskRecord>(task: Task, { at }: Occasion): Task {
  return { ...task, revision: task.revision + 1, updatedAt: at };
}

function ended(
  task: TaskRecord & { readonly state: 'queued' | 'running' },
  { at, age, workerId }: Occasion,
): Omit<EndedRecord, 'state' | 'result' | 'error'> {
  return { ...changed(task, { at, age, workerId }), endedAge: age, workerId, isSettled: false };
}

const INTERRUPTED: TaskFailure = failureOf(new TaskError('interrupted'));
