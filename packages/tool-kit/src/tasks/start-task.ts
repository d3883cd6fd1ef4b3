import {
  CallFailed,
  limited,
  protocolFault,
  startUnknown,
  type CallFailure,
} from '../call/failure/failure.ts';
import type { BegunCall, Call, Operation, RequestContext, StartedTask } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { rpcCodes } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { TakenPlaces } from '../limits/call-limiter.ts';
import { leaveWhenEnded, runId as runIdOf, takeRunPlaces } from '../limits/run-places.ts';
import type { Task, TaskRunner } from '../ports.ts';
import { storeCall } from './stored-call.ts';
import { TASKS_EXTENSION } from './task-meta.ts';
import { knowsTasks, plainAnswer, view2025, view2026 } from './task-view.ts';

/** Starts the task that a long-running call is, once it is confirmed; it is durable when this resolves. */
export async function startTask(begun: BegunCall, pipeline: ResolvedPipelineOptions): Promise<StartedTask> {
  const reserved = await reserve(begun, pipeline);
  try {
    const confirmationId = await begun.confirm();
    return await startConfirmed(begun, { confirmationId, reserved }, pipeline);
  } catch (error) {
    reserved?.place.giveUp();
    throw error;
  }
}

/** Places that are kept for a run. */
interface Reserved {
  readonly place: TakenPlaces;
  readonly runId: string;
}

async function startConfirmed(
  begun: BegunCall,
  agreed: { readonly confirmationId: string | undefined; readonly reserved: Reserved | undefined },
  pipeline: ResolvedPipelineOptions,
): Promise<StartedTask> {
  const { tasks, taskEntries } = pipeline;
  const { operation, request, taskId, entry, intent } = begun;
  const { confirmationId, reserved } = agreed;
  const plan = operation.longRunning;
  if (tasks === undefined || plan === undefined) {
    throw new TypeError(`"${operation.name}" is long-running, and there is no task runner`);
  }
  const { call, input } = await prepared(begun);
  const ownerId = request.caller.id;
  const idempotencyKey = plan.idempotencyKey(input);
  const runId = runIdOf(taskId, ownerId, idempotencyKey);
  if (reserved?.runId !== runId) {
    reserved?.place.giveUp();
  }
  const place = await enterRun(begun, runId, pipeline);
  if (entry !== undefined) {
    taskEntries.begun(taskId, entry);
  }
  let task: Task;
  try {
    begun.noteStart(true);
    task = await tasks.start({
      id: taskId,
      kind: operation.name,
      label: plan.label(input),
      ownerId,
      idempotencyKey,
      fingerprint: (call.arguments ?? {}) as JsonValue,
      input: storeCall(call, request, {
        intent,
        confirmationId,
        runId: place && runId,
        capabilities: followsTask(call, request) ? (request.channel?.capabilities ?? {}) : {},
      }),
    });
  } catch (error) {
    taskEntries.forget(taskId);
    place?.giveUp();
    if (mayBeStarted(error)) {
      throw new CallFailed(startUnknown(taskId, operation.name, plan));
    }
    begun.noteStart(false);
    throw error;
  }
  if (place !== undefined) {
    leaveWhenEnded(place, task, (listener) => tasks.watch(task.id, ownerId, listener));
  }
  const isRepeated = task.id !== taskId;
  if (isRepeated) {
    taskEntries.forget(taskId);
  }
  return {
    answer: { result: answerOf(task, call, operation, request, tasks), isFailure: false },
    isRepeated,
  };
}

/** Places for a run that somebody is asked about first: nobody agrees in vain to what has no place. */
async function reserve(begun: BegunCall, pipeline: ResolvedPipelineOptions): Promise<Reserved | undefined> {
  const { operation, input, request, taskId } = begun;
  const { confirm, longRunning: plan } = operation;
  if (confirm === undefined && plan?.prepare === undefined) {
    return undefined;
  }
  const idempotencyKey = plan?.idempotencyKey(input);
  const runId = runIdOf(taskId, request.caller.id, idempotencyKey);
  // A key may be that of a run that waits in the queue, whose places must not end sooner for it.
  const leaseMs = idempotencyKey === undefined ? MAX_ANSWERS * pipeline.answerWithinMs : undefined;
  const place = await enterRun(begun, runId, pipeline, leaseMs);
  return place && { place, runId };
}

/** For as long as some answers may take, places are kept for a call whose process died. */
const MAX_ANSWERS = 3;

/** By its shape: tasks are another package's. */
function mayBeStarted(error: unknown): boolean {
  return (Object(error) as { readonly code?: unknown }).code === 'start_unknown';
}

/** Takes the places of the run; `undefined` where the tool has as many as it likes. */
async function enterRun(
  { operation, request, context }: BegunCall,
  id: string,
  { limiter }: ResolvedPipelineOptions,
  leaseMs?: number,
): Promise<TakenPlaces | undefined> {
  const run = { tool: operation, callerId: request.caller.id, id };
  const entered = await takeRunPlaces(limiter, run, leaseMs);
  if (entered === undefined) {
    return undefined;
  }
  if ('what' in entered) {
    throw new CallFailed(limited(entered));
  }
  if (context.signal.aborted) {
    // Nobody waits for it any more.
    entered.giveUp();
    throw context.signal.reason;
  }
  return entered;
}

/** The call with the arguments that its task is started with. */
async function prepared({
  call,
  operation,
  input,
  context,
}: BegunCall): Promise<Pick<BegunCall, 'call' | 'input'>> {
  const prepare = operation.longRunning?.prepare;
  if (prepare === undefined) {
    return { call, input };
  }
  const complete = await prepare(input, context);
  const parsed = operation.parse(complete);
  if (!parsed.ok) {
    throw new CallFailed(parsed.failure);
  }
  return { call: { ...call, arguments: complete }, input: parsed.input };
}

/** Why a tool that is called as a task only does not answer this client. */
export function taskRefusal(call: Call, request: RequestContext): CallFailure | undefined {
  if (followsTask(call, request)) {
    return undefined;
  }
  // 2025-11-25, basic/utilities/tasks: -32601 for a call without "task".
  return request.era === '2025'
    ? protocolFault('task_required', {
        code: rpcCodes.methodNotFound,
        message: 'This tool is called as a task only: send "task" with the call.',
      })
    : {
        kind: 'failed',
        code: 'missing_capability',
        isUncertain: false,
        message: `This tool needs a client that declares the extension ${TASKS_EXTENSION}.`,
        requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
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
