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

import { answer, tableOf, type BindingOptions, type RegisterToolOptions } from './binding.ts';
import type { ToolDefinition } from './definitions.ts';
import type { JsonObject } from './json.ts';
import type { MethodTable } from './method-table.ts';

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
    if (!table.methods.has(method)) continue;
    server.setRequestHandler(schema, async (request, extra) => {
      return answer(
        table,
        method,
        // The SDK has just validated the params against its schema, so they are JSON.
        (request.params ?? {}) as JsonObject,
        {
          era: '2025',
          signal: extra.signal,
          authInfo: extra.authInfo,
          client: server.getClientVersion(),
        },
        options.origin,
      );
    });
  }
  return server;
}

/** Adds one tool to a server that you already have; its calls take the same pipeline. */
export function registerTool(server: McpServer, tool: ToolDefinition, options: RegisterToolOptions): void {
  const table = tableOf(tool, options);
  const { annotations } = tool;
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: tool.input,
      outputSchema: tool.output,
      annotations: {
        readOnlyHint: annotations.readOnly,
        destructiveHint: annotations.destructive,
        idempotentHint: annotations.idempotent,
        openWorldHint: annotations.openWorld,
      },
    },
    async (input: Record<string, unknown>, extra: { signal: AbortSignal; authInfo?: unknown }) => {
      const result = await answer(
        table,
        'tools/call',
        // The SDK has just parsed the input from JSON.
        { name: tool.name, arguments: input as JsonObject },
        {
          era: '2025',
          signal: extra.signal,
          authInfo: extra.authInfo,
          client: server.server.getClientVersion(),
        },
        options.origin,
      );
      return result as CallToolResult;
    },
  );
}
