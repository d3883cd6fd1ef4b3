import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, type McpServer, type Server } from '@modelcontextprotocol/server';

import { CLIENT_INFO, sdkOptions, type Connection } from './test-client.ts';

/**
 * Connects the client of `@modelcontextprotocol/client` 2.x, pinned to 2026-07-28, to servers of the same SDK:
 * one for each request, as that revision has no connections. Nothing is sent over the network.
 */
export async function connect2026(createServer: () => Server | McpServer): Promise<Connection> {
  const handler = createMcpHandler(createServer, { legacy: 'reject' });
  const client = new Client(CLIENT_INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const close = async () => {
    await client.close();
    await handler.close();
  };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://mcp.test/'), {
      fetch: (url, init) => handler.fetch(new Request(url, init)),
    }),
  );
  return {
    client: {
      getServerVersion: () => client.getServerVersion(),
      getServerCapabilities: () => client.getServerCapabilities(),
      getInstructions: () => client.getInstructions(),
      listTools: () => client.listTools(),
      callTool: (params, options) => client.callTool(params, sdkOptions(options)),
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
