import type { Asker, Denial } from '../call/admit.ts';
import { internalFailure } from '../call/failure/failure.ts';
import type { RequestContext } from '../call/operation.ts';
import {
  resolvePipelineOptions,
  type PipelineOptions,
  type ResolvedPipelineOptions,
} from '../call/pipeline-options.ts';
import { prepareCall, runCall } from '../call/run-call.ts';
import { toolNamed, type Catalog } from '../catalog/catalog.ts';
import type { HeaderParameter } from '../catalog/schema/header-parameters.ts';
import {
  createChangeFeed,
  resolveChangeOptions,
  type ChangeFeed,
  type ChangeOptions,
} from '../changes/change-feed.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { checkLimit, type Exceeded } from '../limits/call-limiter.ts';
import type { Caller, TaskRunner } from '../ports.ts';
import { callWork } from '../tasks/call-work.ts';
import { TASKS_EXTENSION } from '../tasks/task-meta.ts';
import {
  completionMethods,
  promptMethods,
  resourceMethods,
  toolMethods,
  watchMethods,
  type Method,
} from './methods.ts';
import { taskMethods } from './task-methods.ts';
import { watchTask, type WatchTask } from './watch-task.ts';

/** Answers one MCP method. Rejects only with an {@link RpcError}. */
export type MethodHandler = (params: JsonObject, request: RequestContext) => Promise<JsonObject>;

/** MCP methods and their handlers, independent of any SDK; a binding mounts it on a server. */
export interface MethodTable {
  /** The server capabilities that the methods fulfil. */
  readonly capabilities: JsonObject;
  readonly methods: ReadonlyMap<string, MethodHandler>;
  /** By tool: the arguments that clients over HTTP repeat in headers, where there are any. */
  readonly headerParameters: Pick<ReadonlyMap<string, readonly HeaderParameter[]>, 'get'>;
  /**
   * Counts a request that no method of the table answers against the limits of its caller and of the server;
   * `undefined` when it may go on. @default it may
   */
  readonly count?: ((caller: Caller) => Promise<Exceeded | undefined> | undefined) | undefined;
  /** Follows a task for a client that subscribes to it. `undefined` when there are none. */
  readonly watchTask?: WatchTask | undefined;
  /** Tells clients what changes. `undefined` when nobody is told of anything. */
  readonly changes?: ChangeFeed | undefined;
  /**
   * Begins a call without running it, for a transport that wants to know of a denial first: its limit, parse and
   * decision are those that the call then runs on. `undefined` for a method that is not in the table.
   *
   * @default a call can only be run: what was put around the methods does not know how to prepare one
   */
  readonly prepare?:
    | ((method: string, params: JsonObject, asker: Asker) => PreparedCall | undefined)
    | undefined;
}

/** What a method table is made with besides the catalog. */
export interface MethodTableOptions extends PipelineOptions, ChangeOptions {}

/** A call that has begun. End it with `run` or `refuse`, once. */
export interface PreparedCall {
  /** What the policy refuses, when it is the policy that will refuse this call. Never rejects. */
  readonly denial: () => Promise<Denial | undefined>;
  /**
   * Answers it, for the same caller.
   *
   * @throws {RpcError} always and only.
   */
  readonly run: (request: RequestContext) => Promise<JsonObject>;
  /** Ends it with a refusal of the transport's own, recorded and measured under `reason`, a code. Never rejects. */
  readonly refuse: (request: RequestContext, reason: string) => Promise<void>;
}

/**
 * Joins a catalog and the ports of its calls into the methods that a server answers.
 *
 * Long-running tools do their work from then on, for as long as the task runner is open.
 *
 * @throws {TypeError} when the catalog has long-running tools and there is no task runner, or a limit in requests per minute and
 * there is no rate limiter.
 * @throws {RangeError} naming the option that is out of its range.
 */
export function createMethodTable(catalog: Catalog, options: MethodTableOptions = {}): MethodTable {
  if (options.tasks === undefined && longRunningOf(catalog).length > 0) {
    throw new TypeError('tasks must be a task runner, as the catalog has long-running tools, got undefined');
  }
  for (const [name, { definition }] of catalog.tools) {
    const { limit = {} } = definition;
    checkLimit(`the limit of "${name}"`, limit, options.rateLimiter);
    checkLimit(`the total limit of "${name}"`, limit.total ?? {}, options.rateLimiter);
  }
  const pipeline = resolvePipelineOptions(options);
  const changing = resolveChangeOptions(options);
  const { events } = changing;
  const isWatchable = events !== undefined && changing.watchable && catalog.offers.has('resources');
  const methods = methodsOf(catalog, pipeline, isWatchable);
  const { tasks } = pipeline;
  if (tasks !== undefined) {
    const work = workOf(catalog, tasks, pipeline);
    work();
    catalog.onChange(work);
  }
  return {
    capabilities: {
      ...capabilitiesOf(catalog, events !== undefined, isWatchable),
      ...(tasks !== undefined &&
        longRunningOf(catalog).length > 0 && { extensions: { [TASKS_EXTENSION]: {} } }),
    },
    watchTask: tasks && watchTask(catalog, tasks),
    headerParameters: { get: (tool) => toolNamed(catalog.tools, tool)?.headers },
    changes: events && createChangeFeed(catalog, events, changing, pipeline),
    count: (caller) => pipeline.limiter.count(caller.id, 1),
    methods: new Map([...methods].map(([name, method]) => [name, handlerOf(method, pipeline)])),
    prepare(name, params, asker) {
      const method = methods.get(name);
      return method && prepare(method, params, asker, pipeline);
    },
  };
}

function methodsOf(
  catalog: Catalog,
  pipeline: ResolvedPipelineOptions,
  isWatchable: boolean,
): ReadonlyMap<string, Method> {
  const { offers } = catalog;
  return new Map(
    [
      offers.has('tools') && toolMethods(catalog, pipeline),
      longRunningOf(catalog).length > 0 && taskMethods(catalog),
      offers.has('resources') && resourceMethods(catalog, pipeline),
      isWatchable && watchMethods(catalog),
      offers.has('prompts') && promptMethods(catalog, pipeline),
      (offers.has('resources') || offers.has('prompts')) && completionMethods(catalog),
    ].flatMap((area) => Object.entries(area || {})),
  );
}

function longRunningOf(catalog: Catalog) {
  return [...catalog.tools.values()].flatMap(({ call }) =>
    call.longRunning === undefined ? [] : [[call, call.longRunning] as const],
  );
}

/** Has the work of each long-running tool done, also of one that came later. */
function workOf(catalog: Catalog, tasks: TaskRunner, pipeline: ResolvedPipelineOptions): () => void {
  const known = new Set<string>();
  return () => {
    for (const [operation, plan] of longRunningOf(catalog)) {
      const { name } = operation;
      if (!known.has(name)) {
        known.add(name);
        tasks.work(callWork(operation, plan, () => catalog.tools.get(name)?.call, pipeline));
      }
    }
  };
}

/** Every handler can log. */
function capabilitiesOf({ offers }: Catalog, isChanging: boolean, isWatchable: boolean): JsonObject {
  const changing = isChanging ? { listChanged: true } : {};
  const watched = isWatchable ? { ...changing, subscribe: true } : changing;
  return {
    ...(offers.has('tools') && { tools: changing }),
    ...(offers.has('resources') && { resources: watched }),
    ...(offers.has('prompts') && { prompts: changing }),
    ...((offers.has('resources') || offers.has('prompts')) && { completions: {} }),
    ...(offers.size > 0 && { logging: {} }),
  };
}

function handlerOf(method: Method, pipeline: ResolvedPipelineOptions): MethodHandler {
  return (params, request) =>
    guarded(request, pipeline, async () => {
      const call = method.callOf(params);
      return method.answer(await runCall(call, request, pipeline), call.target, request);
    });
}

function prepare(
  method: Method,
  params: JsonObject,
  asker: Asker,
  pipeline: ResolvedPipelineOptions,
): PreparedCall {
  const call = method.callOf(params);
  const prepared = prepareCall(call, asker, pipeline);
  return {
    denial: prepared.denial,
    run: (request) =>
      guarded(request, pipeline, async () => {
        // What was decided for one caller holds for no other.
        if (request.caller.id !== asker.caller.id) {
          throw new TypeError('a prepared call must be run for the caller who asked for it');
        }
        return method.answer(await prepared.run(request), call.target, request);
      }),
    refuse: prepared.refuse,
  };
}

/** A fault of ours reaches the client as a reference id, never as its own message. */
async function guarded(
  { correlationId }: RequestContext,
  { logger }: ResolvedPipelineOptions,
  answer: () => Promise<JsonObject>,
): Promise<JsonObject> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof RpcError) {
      throw error;
    }
    logger.error({ err: error, correlationId }, 'method handler failed');
    throw new RpcError(rpcCodes.internalError, internalFailure(correlationId, false).message, {
      reason: 'internal',
    });
  }
}
