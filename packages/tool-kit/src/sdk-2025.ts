/** Binds the method table to `@modelcontextprotocol/sdk` 1.x: the revisions up to 2025-11-25. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';

import type { ToolDefinition } from './definition/define-tool.ts';
import type { JsonObject } from './json.ts';
import {
  handleRequest,
  singleTool,
  type BindingOptions,
  type RegisterToolOptions,
  type SdkRequest,
} from './protocol/binding.ts';
import type { MethodTable } from './protocol/method-table.ts';

const requestSchemas = {
  'tools/list': ListToolsRequestSchema,
  'tools/call': CallToolRequestSchema,
  'resources/list': ListResourcesRequestSchema,
  'resources/templates/list': ListResourceTemplatesRequestSchema,
  'resources/read': ReadResourceRequestSchema,
  'prompts/list': ListPromptsRequestSchema,
  'prompts/get': GetPromptRequestSchema,
  'completion/complete': CompleteRequestSchema,
} as const;

/** A low-level server that answers with the table. Make one for each session or connection; the table is shared. */
export function createServer(table: MethodTable, options: BindingOptions): Server {
  const server = new Server(options.serverInfo, {
    capabilities: table.capabilities,
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  for (const [method, schema] of Object.entries(requestSchemas)) {
    if (!table.methods.has(method)) {
      continue;
    }
    server.setRequestHandler(schema, async (request, extra) => {
      // The SDK has just validated the params against its schema, so they are JSON.
      const params = (request.params ?? {}) as JsonObject;
      return handleRequest(table, method, params, sdkRequest(server, extra), options);
    });
  }
  return server;
}

/**
 * Adds one tool to a server that you already have; its calls take the same pipeline. Your server lists it to
 * everyone; for a caller who may not see it, a call of it fails as one of an unknown tool.
 *
 * @throws {TypeError} as `createCatalog` does.
 */
export function registerTool(server: McpServer, tool: ToolDefinition, options: RegisterToolOptions): void {
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
