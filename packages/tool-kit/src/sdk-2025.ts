/** Binds the method table to `@modelcontextprotocol/sdk` 1.x: the revisions up to 2025-11-25. */
import { randomUUID } from 'node:crypto';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { ZodRawShapeCompat } from '@modelcontextprotocol/sdk/server/zod-compat.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  ErrorCode,
  ResultSchema,
  type CallToolResult,
  type GetPromptResult,
  type ListResourcesResult,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv-provider.js';

import type { PromptDefinition } from './definition/define-prompt.ts';
import type { ResourceDefinition } from './definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from './definition/define-tool.ts';
import { RpcError, rpcCodes } from './errors.ts';
import type { Channel, ClientReply } from './exchange/channel.ts';
import { isAtLeast, isLogLevel, LOG_LEVELS, type LogLevel } from './exchange/log-level.ts';
import type { QuestionMethod } from './exchange/question.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Caller } from './ports.ts';
import { handleRequest, type BindingOptions, type SdkRequest } from './protocol/binding.ts';
import type { MethodTable } from './protocol/method-table.ts';
import { createSessionChanges } from './protocol/session-changes.ts';
import { createSessionTasks } from './protocol/session-tasks.ts';
import {
  allPages,
  singlePrompt,
  singleResource,
  singleTool,
  type RegisterOptions,
} from './protocol/single-definition.ts';
import { capabilitiesOf2025 } from './tasks/capabilities.ts';

/** The SDK would make one for each server, which is most of what an idle session holds. */
let validator: AjvJsonSchemaValidator | undefined;

/** What a client is sent that has not said what it wants to see. */
const DEFAULT_LOG_LEVEL: LogLevel = 'info';

/** A low-level server for one session, which tells its client what changes. */
export class SessionServer extends Server {
  /** What the client of this session wants to see. */
  logLevel: LogLevel = DEFAULT_LOG_LEVEL;
  /** Begins to tell, for a client that listens before it asks. `hasMissed`: what happened before may be news to it. */
  follow: (caller: Caller, hasMissed: boolean) => void = () => undefined;

  /** 2025-11-25, basic/utilities/tasks: without tasks, a request for one MUST be processed as any other. */
  protected override assertTaskHandlerCapability(): void {}
}

/**
 * A low-level server that answers with the table. Make one for each session or connection; the table is shared. What it
 * holds for its client is freed when its connection closes.
 */
export function createServer(table: MethodTable, options: BindingOptions): SessionServer {
  const server = new SessionServer(options.serverInfo, {
    capabilities: capabilitiesOf2025(table.capabilities),
    jsonSchemaValidator: (validator ??= new AjvJsonSchemaValidator()),
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  const notify = (method: string, params: JsonObject) => server.notification({ method, params });
  const session = table.changes && createSessionChanges(table.changes, notify);
  const tasks = table.watchTask && createSessionTasks(table.watchTask, notify);
  server.onclose = () => {
    session?.close();
    tasks?.close();
  };
  server.follow = (caller, hasMissed) => {
    const listener = session?.of(caller);
    if (hasMissed) {
      listener?.lookAgain();
    }
  };
  // The SDK answers malformed params with a list of issues.
  server.removeRequestHandler(SET_LEVEL);
  const canLog = table.capabilities['logging'] !== undefined;
  const sendLog: SendLog = (channel, level, data) => {
    if (isAtLeast(level, server.logLevel)) {
      channel.notify('notifications/message', { level, data });
    }
  };
  // The SDK's own handlers would refuse malformed params in front of the pipeline, which records every refusal.
  server.fallbackRequestHandler = (request, extra) => {
    // What arrives is JSON.
    const params = (request.params ?? {}) as JsonObject;
    if (canLog && request.method === SET_LEVEL) {
      server.logLevel = levelOf(params);
      return Promise.resolve({});
    }
    const sdk = { ...sdkRequest(server, extra, sendLog), session, tasks };
    return handleRequest(table, request.method, params, sdk, options);
  };
  return server;
}

const SET_LEVEL = 'logging/setLevel';

/** @throws {RpcError} for what is no level. */
function levelOf({ level }: JsonObject): LogLevel {
  if (!isLogLevel(level)) {
    throw new RpcError(rpcCodes.invalidParams, `"level" must be one of ${LOG_LEVELS.join(', ')}.`);
  }
  return level;
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
  server.registerTool(tool.name, registration, async (sent: Record<string, unknown>, extra: Extra) => {
    // What the SDK has received is JSON, and the registered schema changes nothing of it.
    const params = { name: tool.name, arguments: sent as JsonObject };
    return (await ask('tools/call', params, extra)) as CallToolResult;
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
  const read = async (uri: string, extra: Extra) =>
    (await ask('resources/read', { uri }, extra)) as unknown as ReadResourceResult;
  if (!isFamily) {
    server.registerResource(name, uriTemplate, registration, (_uri, extra) => read(uriTemplate, extra));
    return;
  }
  const template = new ResourceTemplate(uriTemplate, {
    list: async (extra) =>
      (await allPages((params) => ask('resources/list', params, extra))) as unknown as ListResourcesResult,
  });
  server.registerResource(name, template, registration, (uri, _values, extra) => read(uri.href, extra));
}

/**
 * Adds a prompt in the same way; arguments that it does not have are left out.
 *
 * @throws {TypeError} as `createCatalog` does.
 */
export function registerPrompt(server: McpServer, prompt: PromptDefinition, options: RegisterOptions): void {
  const { name } = prompt;
  const { table, registration, argumentShape } = singlePrompt(prompt, options);
  const ask = askOf(server, table, options);
  const get = async (sent: JsonObject, extra: Extra) =>
    (await ask('prompts/get', { name, arguments: sent }, extra)) as unknown as GetPromptResult;
  if (Object.keys(argumentShape).length === 0) {
    // Without arguments, the SDK hands over its context alone.
    server.registerPrompt(name, registration, (extra: unknown) => get({}, extra as Extra));
    return;
  }
  // The registered schemas change nothing of what is JSON.
  const config = { ...registration, argsSchema: argumentShape as ZodRawShapeCompat };
  server.registerPrompt(name, config, (sent: unknown, extra: Extra) => get(sent as JsonObject, extra));
}

/** Asks a table for what a server of another team was asked. */
function askOf({ server }: McpServer, table: MethodTable, options: RegisterOptions) {
  return (method: string, params: JsonObject, extra: Extra) => {
    // The SDK knows which messages the client of this session wants.
    const request = sdkRequest(server, extra, (_channel, level, data) => {
      server.sendLoggingMessage({ level, data }, extra.sessionId).catch(() => undefined);
    });
    return handleRequest(table, method, params, request, options);
  };
}

/** The part of the SDK's request context that is used here. */
type Extra = Pick<
  RequestHandlerExtra<ServerRequest, ServerNotification>,
  'signal' | 'authInfo' | '_meta' | 'sessionId' | 'sendNotification' | 'sendRequest'
>;

/** How a message for the person is sent, where only the server knows which are wanted. */
type SendLog = (channel: Channel, level: LogLevel, data: JsonValue) => void;

function sdkRequest(server: Server, extra: Extra, sendLog: SendLog): SdkRequest {
  return {
    era: '2025',
    signal: extra.signal,
    authInfo: extra.authInfo,
    client: server.getClientVersion(),
    channel: new Channel2025(server, extra, sendLog),
  };
}

class Channel2025 implements Channel {
  readonly #server: Server;
  readonly #extra: Extra;
  readonly #sendLog: SendLog;

  constructor(server: Server, extra: Extra, sendLog: SendLog) {
    this.#server = server;
    this.#extra = extra;
    this.#sendLog = sendLog;
  }

  get meta(): JsonObject {
    // What arrives is JSON, here and below.
    return (this.#extra._meta ?? {}) as JsonObject;
  }

  get capabilities(): JsonObject {
    return (this.#server.getClientCapabilities() ?? {}) as JsonObject;
  }

  notify(method: string, params: JsonObject): void {
    // The kit sends what the SDK has types for.
    const notification = { method, params } as unknown as ServerNotification;
    // It fails when the client is gone or the server cannot do this; the answer does not depend on it.
    this.#extra.sendNotification(notification).catch(() => undefined);
  }

  log(level: LogLevel, data: JsonValue): void {
    this.#sendLog(this, level, data);
  }

  async request(
    method: QuestionMethod,
    params: JsonObject,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<ClientReply> {
    // 2025-11-25 wants a page to have an id, under which the server could say that it is done.
    const sent = params['mode'] === 'url' ? { ...params, elicitationId: randomUUID() } : params;
    const request = { method, params: sent } as unknown as ServerRequest;
    try {
      const result = await this.#extra.sendRequest(request, ResultSchema, { signal, timeout: timeoutMs });
      return { outcome: 'result', result: result as JsonObject };
    } catch (error) {
      signal.throwIfAborted();
      return { outcome: outcomeOf(error) };
    }
  }
}

/** 2025-11-25, client/sampling, "Error Handling": the person has rejected what the model was asked. */
const REJECTED = -1;

function outcomeOf(error: unknown): 'declined' | 'cancelled' | 'impossible' {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case REJECTED:
      return 'declined';
    case ErrorCode.RequestTimeout:
    case ErrorCode.ConnectionClosed:
      return 'cancelled';
    default:
      return 'impossible';
  }
}
