import { CallFailed, protocolFault, type CallFailure } from '../call/failure/failure.ts';
import {
  sealOperation,
  spanOf,
  type Call,
  type OperationOf,
  type RequestContext,
} from '../call/operation.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { MAX_TIMER_MS } from '../check-number.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Caller, Task, TaskRunner } from '../ports.ts';
import { endOfTask, isOver, unknownTask } from '../tasks/task-end.ts';
import { MISSING_CAPABILITY, RELATED_TASK_META_KEY, TASKS_EXTENSION } from '../tasks/task-meta.ts';
import { resultOfTask } from '../tasks/task-result.ts';
import { detailed2026, errorOf, knowsTasks, view2025, type ViewOptions } from '../tasks/task-view.ts';
import { rpcFaultOf, type Method } from './methods.ts';

const PAGE_SIZE = 50;
/** A client that waits for a result asks again when nothing has come for so long. */
const MAX_RESULT_WAIT_MS = MAX_TIMER_MS;

interface TaskInput {
  readonly taskId: string;
  readonly answers: Readonly<Record<string, JsonObject>>;
  readonly cursor?: string | undefined;
}

/** What one method does with tasks. */
interface TaskMethod {
  readonly eras: readonly RequestContext['era'][];
  readonly readOnly: boolean;
  readonly run: (input: TaskInput, at: Place) => Promise<JsonObject>;
}

interface Place {
  readonly tasks: TaskRunner;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly era: RequestContext['era'];
  readonly channel: RequestContext['channel'];
}

/**
 * The methods on the tasks of long-running tools: those of SEP-2663, and those of 2025-11-25, which share names. A task
 * belongs to its caller, and to any other caller does not exist.
 */
export function taskMethods(catalog: Catalog): Readonly<Record<string, Method>> {
  const plans = { get: (name: string) => catalog.tools.get(name)?.call.longRunning };
  const optionsOf = ({ kind }: Task, { ttlMs }: TaskRunner): ViewOptions => ({
    ttlMs,
    pollIntervalMs: plans.get(kind)?.pollIntervalMs ?? 5_000,
  });
  const found = (task: Task | undefined): Task => {
    if (task === undefined || plans.get(task.kind) === undefined) {
      throw new CallFailed(unknownTask());
    }
    return task;
  };

  const methods: Readonly<Record<string, TaskMethod>> = {
    'tasks/get': {
      eras: ['2025', '2026'],
      readOnly: true,
      async run({ taskId }, { tasks, caller, era }) {
        const task = found(await tasks.get(taskId, caller.id));
        const options = optionsOf(task, tasks);
        return era === '2025' ? view2025(task, options) : detailed2026(task, options);
      },
    },
    'tasks/update': {
      eras: ['2026'],
      readOnly: false,
      async run({ taskId, answers }, { tasks, caller }) {
        found(await tasks.get(taskId, caller.id));
        await tasks.answer(taskId, caller.id, answers);
        return {};
      },
    },
    'tasks/cancel': {
      eras: ['2025', '2026'],
      readOnly: false,
      async run({ taskId }, { tasks, caller, era }) {
        const known = found(await tasks.get(taskId, caller.id));
        if (era === '2026') {
          await tasks.cancel(taskId, caller.id);
          return {};
        }
        const options = optionsOf(known, tasks);
        if (known.isCancelRequested || isOver(known)) {
          throw new CallFailed(invalid('The task has ended already, so it cannot be cancelled.'));
        }
        return view2025(found(await tasks.cancel(taskId, caller.id)), options);
      },
    },
    'tasks/list': {
      eras: ['2025'],
      readOnly: true,
      async run({ cursor }, { tasks, caller }) {
        if (cursor !== undefined && (await tasks.get(cursor, caller.id)) === undefined) {
          throw new CallFailed(invalid('Invalid cursor: begin again without one.'));
        }
        const page = await tasks.list(caller.id, { cursor, limit: PAGE_SIZE });
        return {
          tasks: page.tasks
            .filter(({ kind }) => plans.get(kind) !== undefined)
            .map((task) => view2025(task, optionsOf(task, tasks))),
          ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
        };
      },
    },
    'tasks/result': {
      eras: ['2025'],
      readOnly: true,
      async run({ taskId }, place) {
        const { tasks, caller } = place;
        found(await tasks.get(taskId, caller.id));
        const task = await endOfTask(taskId, place);
        const result = resultOfTask(task);
        if (result === undefined) {
          const { message } = errorOf(task);
          throw new CallFailed({
            kind: 'failed',
            code: task.error?.code ?? 'cancelled',
            message,
            isUncertain: false,
          });
        }
        if (result.rpcFault !== undefined) {
          throw new CallFailed(protocolFault(result.outcome.reason ?? 'protocol_error', result.rpcFault));
        }
        const meta = result.answer['_meta'];
        return {
          ...result.answer,
          _meta: {
            ...(isObject(meta) && meta),
            [RELATED_TASK_META_KEY]: { taskId },
          },
        };
      },
    },
  };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, methodOf(name, method)]));
}

function methodOf(name: string, method: TaskMethod): Method {
  const operation = sealOperation<TaskInput, JsonObject>({
    ...operationOf(name, method),
    run(input, { caller, signal }, request, { tasks }) {
      if (!method.eras.includes(request.era)) {
        throw new CallFailed(refused('unknown_method', 'Method not found'));
      }
      if (request.era === '2026' && !knowsTasks(request)) {
        throw new CallFailed(
          refused('missing_capability', `Declare the extension ${TASKS_EXTENSION} to use tasks.`),
        );
      }
      if (tasks === undefined) {
        throw new TypeError('tasks must be a task runner, got undefined');
      }
      return method.run(input, { tasks, caller, signal, era: request.era, channel: request.channel });
    },
  });
  return {
    callOf: (params) => callOf(name, params, operation),
    answer(result) {
      if (result.ok) {
        return result.result;
      }
      throw errorFor(result.failure);
    },
  };
}

function operationOf(
  name: string,
  { readOnly }: TaskMethod,
): Omit<OperationOf<TaskInput, JsonObject>, 'run'> {
  return {
    name: '_other',
    span: spanOf(name),
    parse(sent) {
      const { taskId, inputResponses, cursor } = (sent ?? {}) as JsonObject;
      if (name !== 'tasks/list' && typeof taskId !== 'string') {
        return { ok: false, failure: invalid('"taskId" must be a string.') };
      }
      if (cursor !== undefined && typeof cursor !== 'string') {
        return { ok: false, failure: invalid('"cursor" must be a string.') };
      }
      if (name === 'tasks/update' && !isObject(inputResponses)) {
        return { ok: false, failure: invalid('"inputResponses" must be an object.') };
      }
      const answers = isObject(inputResponses)
        ? Object.fromEntries(
            Object.entries(inputResponses).filter((entry): entry is [string, JsonObject] =>
              isObject(entry[1]),
            ),
          )
        : {};
      return { ok: true, input: { taskId: typeof taskId === 'string' ? taskId : '', cursor, answers } };
    },
    record: ({ taskId }) => ({ arguments: { taskId } }),
    readOnly,
    audited: readOnly ? 'refusals' : 'always',
    deadlineMs: name === 'tasks/result' ? MAX_RESULT_WAIT_MS : undefined,
    maxOutputBytes: Infinity,
    respond: (result) => ({ result, isFailure: false }),
  };
}

function callOf(method: string, params: JsonObject, operation: Call['operation']): Call {
  const { taskId } = params;
  return { method, target: typeof taskId === 'string' ? taskId : '', operation, arguments: params };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function errorFor(failure: CallFailure): RpcError {
  const { kind, code, message } = failure;
  const fault = rpcFaultOf(failure);
  if (fault !== undefined) {
    return new RpcError(fault.code, fault.message, fault.data);
  }
  switch (code) {
    case 'unknown_method':
      return new RpcError(rpcCodes.methodNotFound, message);
    case 'missing_capability':
      return new RpcError(MISSING_CAPABILITY, message, {
        requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
      });
    default: {
      const isClients = kind === 'unknown_target' || kind === 'invalid_input';
      return new RpcError(isClients ? rpcCodes.invalidParams : rpcCodes.internalError, message, {
        reason: code,
      });
    }
  }
}

function refused(code: string, message: string): CallFailure {
  return { kind: 'invalid_input', code, message };
}

function invalid(message: string): CallFailure {
  return { kind: 'invalid_input', code: 'invalid_input', message };
}
