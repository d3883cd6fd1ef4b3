/** Binds the method table to `@modelcontextprotocol/server` 2.x: the revision 2026-07-28. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  ResourceTemplate,
  Server,
  type CallToolResult,
  type GetPromptResult,
  type ListResourcesResult,
  type McpServer,
  type ReadResourceResult,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

import type { PromptDefinition } from './definition/define-prompt.ts';
import type { ResourceDefinition } from './definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from './definition/define-tool.ts';
import { traceable } from './encoded-json.ts';
import type { Channel, Retry } from './exchange/channel.ts';
import { isAtLeast, isLogLevel, type LogLevel } from './exchange/log-level.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { handleRequest, type BindingOptions, type SdkRequest } from './protocol/binding.ts';
import type { MethodTable } from './protocol/method-table.ts';
import {
  allPages,
  singlePrompt,
  singleResource,
  singleTool,
  type RegisterOptions,
} from './protocol/single-definition.ts';

/** The revision that these servers speak. */
export const REVISION = '2026-07-28';

/** Without it the SDK's server takes every connection for one of 2025, until its own HTTP handler says otherwise. */
class ServerOf2026 extends Server {
  protected override _negotiatedProtocolVersion = REVISION;
}

/**
 * A low-level server that answers with the table. It may serve one connection, or every request of a process over a
 * transport that gives each an id of its own: nothing of one request is kept for another.
 */
export function createServer(table: MethodTable, options: BindingOptions): Server {
  const server = new ServerOf2026(options.serverInfo, {
    capabilities: table.capabilities,
    supportedProtocolVersions: [REVISION],
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  // The SDK's own handlers would refuse malformed params in front of the pipeline, which records every refusal.
  server.fallbackRequestHandler = async (request, context) => {
    // What arrives is JSON.
    const params = (
      request.method === 'tasks/update' ? withAnswers(request.params, context) : (request.params ?? {})
    ) as JsonObject;
    return traceable(await handleRequest(table, request.method, params, sdkRequest(context), options));
  };
  // The SDK takes these for methods of the older revisions, unless they have handlers with schemas of their own.
  for (const method of ['tasks/get', 'tasks/cancel'].filter((name) => table.methods.has(name))) {
    server.setRequestHandler(method, { params: z.any() }, async (params, context) =>
      traceable(
        await handleRequest(table, method, (params ?? {}) as JsonObject, sdkRequest(context), options),
      ),
    );
  }
  return server;
}

/** The SDK lifts the answers out of the params of every request, also where they belong to a task. */
function withAnswers(params: object | undefined, { mcpReq }: ServerContext): object {
  const { inputResponses } = mcpReq;
  return { ...params, ...(inputResponses !== undefined && { inputResponses }) };
}

/**
 * Adds one tool to a server that you already have; its calls take the same pipeline. Your server lists it to
 * everyone; for a caller who may not see it, a call of it fails as one of an unknown tool.
 *
 * @throws {TypeError} as `createCatalog` does.
 */
export function registerTool(
  server: McpServer,
  tool: ToolDefinition | ContentToolDefinition,
  options: RegisterOptions,
): void {
  const { table, registration } = singleTool(tool, options);
  const ask = askOf(server, table, options);
  server.registerTool(tool.name, registration, async (sent, context) => {
    // What the SDK has received is JSON, and the registered schema changes nothing of it.
    const params = { name: tool.name, arguments: sent as JsonObject };
    return (await ask('tools/call', params, context)) as unknown as CallToolResult;
  });
}

/**
 * Adds a resource, or a family of resources, in the same way. The SDK does not say who asks for a completion, so there
 * are none.
 *
 * @throws {TypeError} as `createCatalog` does.
 */
export function registerResource(
  server: McpServer,
  resource: ResourceDefinition,
  options: RegisterOptions,
): void {
  const { name, uriTemplate } = resource;
  const { table, registration, isFamily } = singleResource(resource, options);
  const ask = askOf(server, table, options);
  const read = async (uri: string, context: ServerContext) =>
    (await ask('resources/read', { uri }, context)) as unknown as ReadResourceResult;
  if (!isFamily) {
    server.registerResource(name, uriTemplate, registration, (_uri, context) => read(uriTemplate, context));
    return;
  }
  const template = new ResourceTemplate(uriTemplate, {
    list: async (context) =>
      (await allPages((params) => ask('resources/list', params, context))) as unknown as ListResourcesResult,
  });
  server.registerResource(name, template, registration, (uri, _values, context) => read(uri.href, context));
}

/**
 * Adds a prompt in the same way.
 *
 * @throws {TypeError} as `createCatalog` does.
 */
export function registerPrompt(server: McpServer, prompt: PromptDefinition, options: RegisterOptions): void {
  const { name } = prompt;
  const { table, registration, arguments: argsSchema } = singlePrompt(prompt, options);
  const ask = askOf(server, table, options);
  server.registerPrompt(name, { ...registration, argsSchema }, async (sent, context) => {
    const params = { name, arguments: sent as JsonObject };
    return (await ask('prompts/get', params, context)) as unknown as GetPromptResult;
  });
}

/** Asks a table for what a server of another team was asked. */
function askOf({ server }: McpServer, table: MethodTable, options: RegisterOptions) {
  return (method: string, params: JsonObject, context: ServerContext) =>
    handleRequest(table, method, params, sdkRequest(context, server), options);
}

/** `server`: one that may serve a client of the 2025 era, which has said at the opening what it can do. */
function sdkRequest(context: ServerContext, server?: Server): SdkRequest {
  return {
    era: '2026',
    signal: context.mcpReq.signal,
    authInfo: context.http?.authInfo,
    client: clientOf(fromEnvelope(context.mcpReq, CLIENT_INFO_META_KEY)),
    channel: new Channel2026(context, server),
  };
}

/** All that a request of this revision has to say of its client is in the request. */
class Channel2026 implements Channel {
  readonly #request: ServerContext['mcpReq'];
  readonly #server: Server | undefined;

  constructor({ mcpReq }: ServerContext, server: Server | undefined) {
    this.#request = mcpReq;
    this.#server = server;
  }

  get meta(): JsonObject {
    // What arrives is JSON, here and below.
    return (this.#request._meta ?? {}) as JsonObject;
  }

  get capabilities(): JsonObject {
    const said = fromEnvelope(this.#request, CLIENT_CAPABILITIES_META_KEY);
    return (said ?? this.#server?.getClientCapabilities() ?? {}) as JsonObject;
  }

  get retry(): Retry | undefined {
    const { inputResponses } = this.#request;
    const state: unknown = this.#request.requestState();
    return inputResponses === undefined && state === undefined
      ? undefined
      : { answers: (inputResponses ?? {}) as JsonObject, state };
  }

  notify(method: string, params: JsonObject): void {
    // It fails when the client is gone; the answer does not depend on it.
    this.#request.notify({ method, params: { ...params } }).catch(() => undefined);
  }

  log(level: LogLevel, data: JsonValue): void {
    // 2026-07-28, server/utilities/logging: nothing, unless the request names a level.
    const least = fromEnvelope(this.#request, LOG_LEVEL_META_KEY);
    if (isLogLevel(least) && isAtLeast(level, least)) {
      this.notify('notifications/message', { level, data });
    }
  }
}

/** What a request says of its client, by a key that the SDK has taken out of the request's `_meta`. */
function fromEnvelope({ envelope }: ServerContext['mcpReq'], key: string): unknown {
  return (envelope as Readonly<Record<string, unknown>> | undefined)?.[key];
}

function clientOf(info: unknown): SdkRequest['client'] {
  if (typeof info !== 'object' || info === null) {
    return undefined;
  }
  const { name, version } = info as { readonly name?: unknown; readonly version?: unknown };
  return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
}
