import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Where it begins: a server as blog posts have it. Each tool calls the backend and wraps itself in the same `catch`. */
export function createServer(backendUrl: string, apiKey: string): McpServer {
  const server = new McpServer({ name: 'stock', version: '1.0.0' });
  server.registerTool(
    'get_stock',
    { description: 'Gets the stock of an item', inputSchema: z.object({ item: z.string() }) },
    async ({ item }) => {
      const url = `${backendUrl}/items/${item}?key=${apiKey}`;
      try {
        const response = await fetch(url);
        if (!response.ok) {
          throw new Error(`HTTP ${response.status}`);
        }
        return { content: [{ type: 'text', text: JSON.stringify(await response.json()) }] };
      } catch (error) {
        return { content: [{ type: 'text', text: `Error calling ${url}: ${String(error)}` }], isError: true };
      }
    },
  );
  server.registerTool(
    'delete_item',
    { description: 'Deletes an item', inputSchema: z.object({ item: z.string() }) },
    async ({ item }) => {
      const url = `${backendUrl}/items/${item}?key=${apiKey}`;
      try {
        const response = await fetch(url, { method: 'DELETE' });
        if (!response.ok) {
          throw new Error(`HTTP ${response.status}`);
        }
        return { content: [{ type: 'text', text: 'Deleted' }] };
      } catch (error) {
        return { content: [{ type: 'text', text: `Error calling ${url}: ${String(error)}` }], isError: true };
      }
    },
  );
  return server;
}
