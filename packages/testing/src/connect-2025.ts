import type { CallToolResult, ListToolsResult, ServerCapabilities } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

import { CLIENT_INFO, sdkOptions, type Connection } from './test-client.ts';

/** Connects the client of `@modelcontextprotocol/sdk` 1.x to a server of the same SDK, in memory. */
export async function connect2025(server: Server | McpServer): Promise<Connection> {
  const client = new Client(CLIENT_INFO);
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  await server.connect(serverEnd);
  await client.connect(clientEnd);
  const close = async () => {
    await client.close();
    await server.close();
  };
  // Where it says `as`, the two SDKs give different types to the same JSON.
  return {
    client: {
      getServerVersion: () => client.getServerVersion(),
      getServerCapabilities: () => client.getServerCapabilities() as ServerCapabilities | undefined,
      getInstructions: () => client.getInstructions(),
      listTools: async () => (await client.listTools()) as ListToolsResult,
      callTool: async (params, options) =>
        (await client.callTool(params, undefined, sdkOptions(options))) as CallToolResult,
      listResources: () => client.listResources(),
      listResourceTemplates: () => client.listResourceTemplates(),
      readResource: (params, options) => client.readResource(params, sdkOptions(options)),
      listPrompts: () => client.listPrompts(),
      getPrompt: (params, options) => client.getPrompt(params, sdkOptions(options)),
      complete: (params, options) => client.complete(params, sdkOptions(options)),
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
