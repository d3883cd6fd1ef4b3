import { TaskError } from './errors.ts';
import type { JsonObject, StoredTask, TaskDefinition, TaskFailure, TaskProgress } from './task.ts';

/** What can happen to a task. */
export type TaskEvent =
  | { readonly type: 'claim' }
  | { readonly type: 'progress'; readonly progress: TaskProgress }
  | { readonly type: 'complete'; readonly result: JsonObject }
  | { readonly type: 'fail'; readonly error: TaskFailure }
  | { readonly type: 'cancel' }
  | { readonly type: 'interrupt'; readonly policy: TaskDefinition['onInterrupted'] };

/** A task that took its process down this often is not tried again. */
const MAX_ATTEMPTS = 5;

/** The task after `event`, or undefined where the event changes nothing. Pure; final states accept no event. */
export function transition(task: StoredTask, event: TaskEvent, now: number): StoredTask | undefined {
  switch (task.state) {
    case 'queued':
      return fromQueued(task, event, now);
    case 'running':
      return fromRunning(task, event, now);
    case 'completed':
    case 'failed':
    case 'cancelled':
      return undefined;
    default:
      return task satisfies never;
  }
}

function fromQueued(
  task: StoredTask & { readonly state: 'queued' },
  event: TaskEvent,
  updatedAt: number,
): StoredTask | undefined {
  switch (event.type) {
    case 'claim':
      return { ...task, state: 'running', cancelRequested: false, attempt: task.attempt + 1, updatedAt };
    case 'fail':
      return { ...task, state: 'failed', error: event.error, updatedAt };
    case 'cancel':
      return { ...task, state: 'cancelled', updatedAt };
    case 'progress':
    case 'complete':
    case 'interrupt':
      return undefined;
    default:
      return event satisfies never;
  }
}

function fromRunning(
  running: StoredTask & { readonly state: 'running' },
  event: TaskEvent,
  updatedAt: number,
): StoredTask | undefined {
  const { cancelRequested, ...rest } = running;
  const task = { ...rest, updatedAt };
  switch (event.type) {
    case 'claim':
      return undefined;
    case 'progress':
      return { ...task, state: 'running', cancelRequested, progress: event.progress };
    case 'complete':
      // Also after a cancel request: the work was done, and saying otherwise would mislead its owner.
      return {
        ...task,
        state: 'completed',
        progress: { ...task.progress, percent: 100 },
        result: event.result,
      };
    case 'fail':
      if (cancelRequested) {
        return { ...task, state: 'cancelled' };
      }
      return { ...task, state: 'failed', error: event.error };
    case 'cancel':
      return cancelRequested ? undefined : { ...task, state: 'running', cancelRequested: true };
    case 'interrupt':
      if (event.policy === 'fail' || task.attempt >= MAX_ATTEMPTS) {
        return { ...task, state: 'failed', error: INTERRUPTED };
      }
      return { ...task, state: cancelRequested ? 'cancelled' : 'queued' };
    default:
      return event satisfies never;
  }
}

const INTERRUPTED: TaskFailure = {
  code: 'interrupted',
  message: new TaskError('interrupted').publicMessage,
};
