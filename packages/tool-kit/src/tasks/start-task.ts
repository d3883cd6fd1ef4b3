import type { BegunCall, Call, Operation, RequestContext, StartedTask } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Task, TaskRunner } from '../ports.ts';
import { storeCall } from './stored-call.ts';
import { knowsTasks, plainAnswer, view2025, view2026 } from './task-view.ts';

/** Starts the task that a long-running call is; it is durable when this resolves. */
export async function startTask(
  { call, operation, input, request, taskId, entry, intent, confirmationId }: BegunCall,
  { tasks, openEntries }: ResolvedPipelineOptions,
): Promise<StartedTask> {
  const plan = operation.longRunning;
  if (tasks === undefined || plan === undefined) {
    throw new TypeError(`"${operation.name}" is long-running, and there is no task runner`);
  }
  if (entry !== undefined) {
    openEntries.set(taskId, entry);
  }
  let task: Task;
  try {
    task = await tasks.start({
      id: taskId,
      kind: operation.name,
      label: plan.label(input),
      ownerId: request.caller.id,
      idempotencyKey: plan.idempotencyKey(input),
      fingerprint: (call.arguments ?? {}) as JsonValue,
      input: storeCall(call, request, {
        intent,
        reference: entry?.reference,
        confirmationId,
        capabilities: followsTask(call, request) ? (request.channel?.capabilities ?? {}) : {},
      }),
    });
  } catch (error) {
    openEntries.delete(taskId);
    throw error;
  }
  const isRepeated = task.id !== taskId;
  if (isRepeated) {
    openEntries.delete(taskId);
  }
  return {
    answer: { result: answerOf(task, call, operation, request, tasks), isFailure: false },
    isRepeated,
  };
}

/** Whether the client will be there when the task asks something. */
function followsTask(call: Call, request: RequestContext): boolean {
  return knowsTasks(request) || (request.era === '2025' && call.wantsTask === true);
}

function answerOf(
  task: Task,
  call: Call,
  { name, longRunning: plan }: Operation,
  request: RequestContext,
  { ttlMs }: TaskRunner,
): JsonObject {
  if (plan === undefined) {
    throw new TypeError(`"${name}" is not long-running`);
  }
  const { pollIntervalMs } = plan;
  if (knowsTasks(request)) {
    return { resultType: 'task', ...view2026(task, { ttlMs, pollIntervalMs }) };
  }
  return request.era === '2025' && call.wantsTask === true
    ? { task: view2025(task, { ttlMs, pollIntervalMs }) }
    : plainAnswer(task, name, plan);
}
