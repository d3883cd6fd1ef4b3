/** Binds the method table to `@modelcontextprotocol/server` 2.x: the revision 2026-07-28. */
import {
  CLIENT_INFO_META_KEY,
  Server,
  type CallToolResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

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

const methods = [
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
] as const;

/** A low-level server that answers with the table. Make one for each request or connection; the table is shared. */
export function createServer(table: MethodTable, options: BindingOptions): Server {
  const server = new Server(options.serverInfo, {
    capabilities: table.capabilities,
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  for (const method of methods) {
    if (!table.methods.has(method)) {
      continue;
    }
    server.setRequestHandler(method, async (request, context) => {
      // The SDK has validated the params against the method's schema, so they are JSON; the table builds the
      // result that the specification gives for this method.
      const params = (request.params ?? {}) as JsonObject;
      return (await handleRequest(table, method, params, sdkRequest(context), options)) as never;
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
  server.registerTool(tool.name, registration, async (sent, context) => {
    // What the SDK has received is JSON, and the registered schema changes nothing of it.
    const params = { name: tool.name, arguments: sent as JsonObject };
    const result = await handleRequest(table, 'tools/call', params, sdkRequest(context), options);
    return result as unknown as CallToolResult;
  });
}

const clientInfo = z.object({ name: z.string(), version: z.string() });

function sdkRequest(context: ServerContext): SdkRequest {
  const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {};
  return {
    era: '2026',
    signal: context.mcpReq.signal,
    authInfo: context.http?.authInfo,
    client: clientInfo.safeParse(envelope[CLIENT_INFO_META_KEY]).data,
  };
}
