import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, type McpServer, type Server } from '@modelcontextprotocol/server';

import { clientInfo, type Connection } from './test-client.ts';

/**
 * Connects the client of `@modelcontextprotocol/client` 2.x, pinned to 2026-07-28, to servers of the same SDK:
 * one for each request, as that revision has no connections. Nothing is sent over the network.
 */
export async function connect2026(createServer: () => Server | McpServer): Promise<Connection> {
  const handler = createMcpHandler(createServer, { legacy: 'reject' });
  const client = new Client(clientInfo, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const close = async () => {
    await client.close();
    await handler.close();
  };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://mcp.test/'), {
      fetch: (url, init) => handler.fetch(new Request(url, init)),
    }),
  );
  return { client, close, [Symbol.asyncDispose]: close };
}
