import type { RegisterOptions } from '@mcp-parts/tool-kit';
import { registerTool } from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer } from '@modelcontextprotocol/server';

import { connectBackend } from './backend.ts';
import { createStockTools } from './stock-tools.ts';

/**
 * Step 2: the tools become definitions, on the server that is there. Whoever is calling, as the server already knows, now
 * needs a permission. Step 3 is one more option: an audit trail.
 */
export function createServer(backendUrl: string, key: string, options: RegisterOptions): McpServer {
  const server = new McpServer({ name: 'stock', version: '1.0.0' });
  for (const tool of createStockTools(connectBackend(backendUrl), key)) {
    registerTool(server, tool, options);
  }
  return server;
}
