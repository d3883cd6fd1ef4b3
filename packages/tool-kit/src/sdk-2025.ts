/** Binds the method table to `@modelcontextprotocol/sdk` 1.x: the revisions up to 2025-11-25. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv-provider.js';

import type { ContentToolDefinition, ToolDefinition } from './definition/define-tool.ts';
import type { JsonObject } from './json.ts';
import {
  handleRequest,
  singleTool,
  type BindingOptions,
  type RegisterToolOptions,
  type SdkRequest,
} from './protocol/binding.ts';
import type { MethodTable } from './protocol/method-table.ts';

/** The SDK would make one for each server, which is most of what an idle session holds. */
let validator: AjvJsonSchemaValidator | undefined;

/** A low-level server that answers with the table. Make one for each session or connection; the table is shared. */
export function createServer(table: MethodTable, options: BindingOptions): Server {
  const server = new Server(options.serverInfo, {
    capabilities: table.capabilities,
    jsonSchemaValidator: (validator ??= new AjvJsonSchemaValidator()),
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  // The SDK's own handlers would refuse malformed params in front of the pipeline, which records every refusal.
  server.fallbackRequestHandler = (request, extra) =>
    // What arrives is JSON.
    handleRequest(
      table,
      request.method,
      (request.params ?? {}) as JsonObject,
      sdkRequest(server, extra),
      options,
    );
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
  server.registerTool(tool.name, registration, async (sent: Record<string, unknown>, extra: Extra) => {
    // What the SDK has received is JSON, and the registered schema changes nothing of it.
    const params = { name: tool.name, arguments: sent as JsonObject };
    const result = await handleRequest(
      table,
      'tools/call',
      params,
      sdkRequest(server.server, extra),
      options,
    );
    return result as CallToolResult;
  });
}

/** The part of the SDK's request context that is used here. */
interface Extra {
  readonly signal: AbortSignal;
  readonly authInfo?: unknown;
}

function sdkRequest(server: Server, { signal, authInfo }: Extra): SdkRequest {
  return { era: '2025', signal, authInfo, client: server.getClientVersion() };
}
