import type { LongRunningPlan, RequestContext, Sealed } from '../call/operation.ts';
import type { JsonObject } from '../json.ts';
import type { Task } from '../ports.ts';
import { resultOfTask, textOf } from './task-result.ts';

/** How a task looks to a person: one that ended with a tool's failure has failed. */
export function shownState(task: Task): Task['state'] {
  return resultOfTask(task)?.answer['isError'] === true ? 'failed' : task.state;
}

/** One line about a task. */
export function shownMessage(task: Task): string {
  const result = resultOfTask(task);
  return (
    task.error?.message ??
    ((result === undefined ? task.progress.message : textOf(result.answer)) || 'Waiting to start.')
  );
}

/** What a view needs to know besides the task. */
export interface ViewOptions {
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
}

/** SEP-2663: the state as it stands, flat. A tool's own failure is a completed task; an error of the protocol is not. */
export function view2026(task: Task, { ttlMs, pollIntervalMs }: ViewOptions): JsonObject {
  return {
    taskId: task.id,
    status: resultOfTask(task)?.rpcFault === undefined ? statusOf(task) : 'failed',
    statusMessage: shownMessage(task),
    createdAt: task.createdAt,
    lastUpdatedAt: task.updatedAt,
    ttlMs,
    pollIntervalMs,
  };
}

/** The state with what the state has: questions, result or error. */
export function detailed2026(task: Task, options: ViewOptions): JsonObject {
  const view = view2026(task, options);
  switch (task.state) {
    case 'input_required':
      return { ...view, inputRequests: task.questions };
    case 'completed': {
      const { answer, rpcFault } = resultOfTask(task) ?? {};
      return rpcFault === undefined
        ? // 2026-07-28, basic: every result has it, also one that is inlined.
          { ...view, result: { resultType: 'complete', ...answer } }
        : { ...view, error: { ...rpcFault } };
    }
    case 'failed':
      return { ...view, error: errorOf(task) };
    case 'queued':
    case 'running':
    case 'cancelled':
      return view;
    default:
      return task.state satisfies never;
  }
}

/**
 * 2025-11-25: a tool's own failure is a failed task, and a task that was cancelled is cancelled from then on, whatever
 * its handler still does.
 */
export function view2025(task: Task, { ttlMs, pollIntervalMs }: ViewOptions): JsonObject {
  return {
    taskId: task.id,
    status: task.isCancelRequested ? 'cancelled' : statusOf({ ...task, state: shownState(task) }),
    statusMessage: shownMessage(task),
    createdAt: task.createdAt,
    lastUpdatedAt: task.updatedAt,
    ttl: ttlMs,
    pollInterval: pollIntervalMs,
  };
}

/** The JSON-RPC error that a task ended with. */
export function errorOf(task: Task): {
  readonly code: number;
  readonly message: string;
  readonly data: JsonObject;
} {
  const { code, message } = task.error ?? { code: 'cancelled', message: 'The task was cancelled.' };
  return { code: -32_603, message, data: { reason: code } };
}

function statusOf({ state }: Pick<Task, 'state'>): string {
  return state === 'queued' || state === 'running' ? 'working' : state;
}

/** What a client is answered that knows no tasks. */
export function plainAnswer(
  task: Task,
  toolName: string,
  { statusTool, pollIntervalMs }: LongRunningPlan<Sealed>,
): JsonObject {
  const state = shownState(task);
  const nextStep = `Call ${statusTool} in ${Math.ceil(pollIntervalMs / 1_000)} s, until it ends; do not start it again.`;
  const text = `${task.label ?? toolName} is task ${task.id}, now ${state}.\nNext: ${nextStep}`;
  return { content: [{ type: 'text', text }], structuredContent: { taskId: task.id, state, nextStep } };
}

/** Whether a request's client knows the tasks of SEP-2663. */
export function knowsTasks(request: RequestContext): boolean {
  const extensions = request.channel?.capabilities['extensions'];
  return (
    request.era === '2026' &&
    typeof extensions === 'object' &&
    extensions !== null &&
    Object.hasOwn(extensions, 'io.modelcontextprotocol/tasks')
  );
}
