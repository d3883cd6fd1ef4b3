/** Binds the method table to `@modelcontextprotocol/server` 2.x: the revision 2026-07-28. */
import {
  CLIENT_INFO_META_KEY,
  Server,
  type CallToolResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';

import type { ContentToolDefinition, ToolDefinition } from './definition/define-tool.ts';
import { traceable } from './encoded-json.ts';
import type { JsonObject } from './json.ts';
import {
  handleRequest,
  singleTool,
  type BindingOptions,
  type RegisterToolOptions,
  type SdkRequest,
} from './protocol/binding.ts';
import type { MethodTable } from './protocol/method-table.ts';

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
    const params = (request.params ?? {}) as JsonObject;
    return traceable(await handleRequest(table, request.method, params, sdkRequest(context), options));
  };
  return server;
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
  options: RegisterToolOptions,
): void {
  const { table, registration } = singleTool(tool, options);
  server.registerTool(tool.name, registration, async (sent, context) => {
    // What the SDK has received is JSON, and the registered schema changes nothing of it.
    const params = { name: tool.name, arguments: sent as JsonObject };
    const result = await handleRequest(table, 'tools/call', params, sdkRequest(context), options);
    return result as unknown as CallToolResult;
  });
}

function sdkRequest(context: ServerContext): SdkRequest {
  const { envelope, signal } = context.mcpReq;
  return {
    era: '2026',
    signal,
    authInfo: context.http?.authInfo,
    client: clientOf((envelope as Readonly<Record<string, unknown>> | undefined)?.[CLIENT_INFO_META_KEY]),
  };
}

function clientOf(info: unknown): SdkRequest['client'] {
  if (typeof info !== 'object' || info === null) {
    return undefined;
  }
  const { name, version } = info as { readonly name?: unknown; readonly version?: unknown };
  return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
}
