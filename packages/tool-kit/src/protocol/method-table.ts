import { internalFailure, shorten, type CallFailure } from '../call/failure.ts';
import type { Call, CallResult, RequestContext } from '../call/operation.ts';
import {
  resolvePipelineOptions,
  type PipelineOptions,
  type ResolvedPipelineOptions,
} from '../call/pipeline-options.ts';
import { runCall } from '../call/run-call.ts';
import type { Catalog, Listed } from '../catalog/catalog.ts';
import { headerParametersOf, type HeaderParameter } from '../catalog/header-parameters.ts';
import type { ResourceListing } from '../definition/define-resource.ts';
import { isHeld, isVisible } from '../definition/permission.ts';
import type { Permission } from '../definition/permission.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import {
  callTool,
  complete,
  listResources,
  readResource,
  renderPrompt,
  type ToolOutput,
} from './operations.ts';
import type { ServerEvents } from './server-events.ts';

/** Answers one MCP method. Rejects only with an {@link RpcError}. */
export type MethodHandler = (params: JsonObject, request: RequestContext) => Promise<JsonObject>;

/** MCP methods and their handlers, independent of any SDK; a binding mounts it on a server. */
export interface MethodTable {
  /** The server capabilities that the methods fulfil. */
  readonly capabilities: JsonObject;
  readonly methods: ReadonlyMap<string, MethodHandler>;
  /** By tool: the arguments that clients over HTTP repeat in headers, where there are any. */
  readonly headerParameters: ReadonlyMap<string, readonly HeaderParameter[]>;
  /** What clients can subscribe to. `undefined` when nothing ever changes. */
  readonly events?: ServerEvents | undefined;
}

/** What a method table is made with besides the catalog. */
export interface MethodTableOptions extends PipelineOptions {
  /** What changes while the server runs, for clients that subscribe to it. @default nothing changes */
  readonly events?: ServerEvents | undefined;
}

/**
 * Joins a catalog and the ports of its calls into the methods that a server answers.
 *
 * @throws {TypeError} when the catalog has tasks and there is no task runner.
 * @throws {RangeError} naming the option that is out of its range.
 */
export function createMethodTable(catalog: Catalog, options: MethodTableOptions = {}): MethodTable {
  if (catalog.tasks.length > 0 && options.tasks === undefined) {
    throw new TypeError('tasks must be a task runner, as the catalog has tasks, got undefined');
  }
  const pipeline = resolvePipelineOptions(options);
  const areas = [
    toolMethods(catalog, pipeline),
    resourceMethods(catalog, pipeline),
    promptMethods(catalog, pipeline),
  ];
  if (catalog.resources.size > 0 || catalog.prompts.size > 0) {
    areas.push(completionMethods(catalog, pipeline));
  }
  return {
    capabilities: capabilitiesOf(areas, options.events),
    headerParameters: headerParameters(catalog),
    events: options.events,
    methods: new Map(
      areas.flatMap((area) =>
        Object.entries(area.methods).map(
          ([method, handler]) => [method, guarded(handler, pipeline)] as const,
        ),
      ),
    ),
  };
}

/** With events, what is listed may change; resources can be watched one by one. */
function capabilitiesOf(areas: readonly Area[], events: ServerEvents | undefined): JsonObject {
  const capabilities = Object.assign({}, ...areas.map((area) => area.capabilities)) as Record<
    string,
    JsonObject
  >;
  if (events === undefined) {
    return capabilities;
  }
  const changing = { tools: { listChanged: true }, prompts: { listChanged: true } };
  const watched = { ...changing, resources: { listChanged: true, subscribe: true } };
  return Object.fromEntries(
    Object.entries(capabilities).map(([name, value]) => [
      name,
      name in watched ? watched[name as keyof typeof watched] : value,
    ]),
  );
}

function headerParameters(catalog: Catalog): MethodTable['headerParameters'] {
  const found = new Map<string, readonly HeaderParameter[]>();
  for (const [name, { listing }] of catalog.tools) {
    // A listing is made from the tool's own schema, which is an object.
    const parameters = headerParametersOf(`tool "${name}"`, listing['inputSchema'] as JsonObject);
    if (parameters.length > 0) {
      found.set(name, parameters);
    }
  }
  return found;
}

/** A fault of ours reaches the client as a reference id, never as its own message. */
function guarded(handler: MethodHandler, pipeline: ResolvedPipelineOptions): MethodHandler {
  return async (params, request) => {
    try {
      return await handler(params, request);
    } catch (error) {
      if (error instanceof RpcError) {
        throw error;
      }
      pipeline.logger.error({ err: error, correlationId: request.correlationId }, 'method handler failed');
      throw rpcError(internalFailure(request.correlationId, false));
    }
  };
}

interface Area {
  readonly capabilities: Readonly<Record<string, JsonValue>>;
  readonly methods: Readonly<Record<string, MethodHandler>>;
}

const NOTHING: Area = { capabilities: {}, methods: {} };

function toolMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Area {
  if (catalog.tools.size === 0) {
    return NOTHING;
  }
  return {
    capabilities: { tools: {} },
    methods: {
      'tools/list': list('tools', [...catalog.tools.values()]),
      async 'tools/call'(params, request) {
        const target = text(params, 'name');
        const tool = catalog.tools.get(target)?.definition;
        return toolResult(
          await runCall(
            { method: 'tools/call', target, operation: tool && callTool(tool, params['arguments']) },
            request,
            pipeline,
          ),
        );
      },
    },
  };
}

function resourceMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Area {
  if (catalog.resources.size === 0) {
    return NOTHING;
  }
  const templates = [...catalog.resources.values()].filter(({ template }) => template.variables.length > 0);
  return {
    capabilities: { resources: {} },
    methods: {
      'resources/templates/list': list('resourceTemplates', templates),
      async 'resources/list'(_params, request) {
        // What exists is asked of an upstream, so only for those who may ask it now.
        const visible = [...catalog.resources.values()].filter((entry) =>
          isHeld(entry.definition.permission, request.caller),
        );
        const lists = await Promise.all(
          visible.map((entry) =>
            outputOf(
              {
                method: 'resources/list',
                target: entry.definition.name,
                operation: listResources(entry, request.caller),
              },
              request,
              pipeline,
            ),
          ),
        );
        return {
          resources: lists.flat().map((listing) => ({ ...compact(listing), mimeType: 'application/json' })),
        };
      },
      async 'resources/read'(params, request) {
        const uri = text(params, 'uri');
        const call = { method: 'resources/read', target: uri, operation: readResource(catalog, uri) };
        const content = await outputOf(call, request, pipeline);
        if (content === undefined) {
          throw resourceNotFound(uri, request.era);
        }
        return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(content) }] };
      },
    },
  };
}

function promptMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Area {
  if (catalog.prompts.size === 0) {
    return NOTHING;
  }
  return {
    capabilities: { prompts: {} },
    methods: {
      'prompts/list': list('prompts', [...catalog.prompts.values()]),
      async 'prompts/get'(params, request) {
        const target = text(params, 'name');
        const prompt = catalog.prompts.get(target)?.definition;
        const operation = prompt && renderPrompt(prompt, params['arguments']);
        const rendered = await outputOf({ method: 'prompts/get', target, operation }, request, pipeline);
        return { messages: [{ role: 'user', content: { type: 'text', text: rendered } }] };
      },
    },
  };
}

function completionMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Area {
  return {
    capabilities: { completions: {} },
    methods: {
      async 'completion/complete'(params, request) {
        const call = complete(catalog, params, request.caller);
        const values = await outputOf({ method: 'completion/complete', ...call }, request, pipeline);
        // The protocol allows 100 values.
        return {
          completion: { values: values.slice(0, 100), total: values.length, hasMore: values.length > 100 },
        };
      },
    },
  };
}

/** The list entries of what the caller may see, worked out beforehand. */
function list(
  member: string,
  entries: readonly Listed<{ readonly permission: Permission<never> }>[],
): MethodHandler {
  return (_params, { caller }) =>
    Promise.resolve({
      [member]: entries
        .filter((entry) => isVisible(entry.definition.permission, caller))
        .map((entry) => entry.listing),
    });
}

/** A tool's failure is a result that the model reads; an unknown tool is the client's mistake. */
function toolResult(result: CallResult<ToolOutput>): JsonObject {
  if (result.ok) {
    const { structuredContent, text, isFailure } = result.output;
    return { content: [{ type: 'text', text }], structuredContent, ...(isFailure ? { isError: true } : {}) };
  }
  if (result.failure.kind === 'unknown_target') {
    throw rpcError(result.failure);
  }
  return { content: [{ type: 'text', text: result.failure.message }], isError: true };
}

/** Runs a call whose failures reach the client as JSON-RPC errors. */
async function outputOf<Input, Output>(
  call: Call<Input, Output>,
  request: RequestContext,
  pipeline: ResolvedPipelineOptions,
): Promise<Output> {
  const result = await runCall(call, request, pipeline);
  if (result.ok) {
    return result.output;
  }
  if (result.failure.kind === 'unknown_target' && call.method === 'resources/read') {
    throw resourceNotFound(call.target, request.era);
  }
  throw rpcError(result.failure);
}

function rpcError({ kind, code, message }: CallFailure): RpcError {
  const isClientsMistake = kind === 'unknown_target' || kind === 'invalid_input';
  return new RpcError(isClientsMistake ? rpcCodes.invalidParams : rpcCodes.internalError, message, {
    // The code of a hidden target would tell that it exists.
    reason: kind === 'unknown_target' ? kind : code,
  });
}

function resourceNotFound(uri: string, era: '2025' | '2026'): RpcError {
  // 2025-11-25, server/resources: -32002. 2026-07-28 moved it to -32602.
  const code = era === '2025' ? rpcCodes.resourceNotFound : rpcCodes.invalidParams;
  return new RpcError(code, `Resource not found: ${shorten(uri)}`, { uri: shorten(uri) });
}

function text(params: JsonObject, member: string): string {
  const value = params[member];
  if (typeof value !== 'string') {
    throw new RpcError(rpcCodes.invalidParams, `"${member}" must be a string.`);
  }
  return value;
}

/** JSON has no undefined. */
function compact(listing: ResourceListing): JsonObject {
  return Object.fromEntries(
    Object.entries(listing).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
