import { callFor } from '@mcp-parts/resilient-client';
import { McpServer, type CallToolResult, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { connectBackend, endpoints } from './backend.ts';

/** Step 1: only the calls to the backend move. The tools stay where they are, and each `catch` becomes one. */
export function createServer(backendUrl: string, key: string): McpServer {
  const backend = connectBackend(backendUrl);
  const server = new McpServer({ name: 'stock', version: '1.0.0' });
  server.registerTool(
    'get_stock',
    { description: 'Gets the stock of an item', inputSchema: z.object({ item: z.string() }) },
    ({ item }, { mcpReq }) =>
      answer(async () => {
        const input = { params: { item }, query: { key } };
        return JSON.stringify(await callFor(mcpReq, backend, endpoints.get, input));
      }),
  );
  server.registerTool(
    'delete_item',
    { description: 'Deletes an item', inputSchema: z.object({ item: z.string() }) },
    ({ item }, { mcpReq }: Pick<ServerContext, 'mcpReq'>) =>
      answer(async () => {
        await callFor(mcpReq, backend, endpoints.delete, { params: { item }, query: { key } });
        return 'Deleted';
      }),
  );
  return server;
}

async function answer(work: () => Promise<string>): Promise<CallToolResult> {
  try {
    return { content: [{ type: 'text', text: await work() }] };
  } catch (error) {
    const told =
      error instanceof Error && 'publicMessage' in error ? String(error.publicMessage) : 'It failed.';
    return { content: [{ type: 'text', text: told }], isError: true };
  }
}
