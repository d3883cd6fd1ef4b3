import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2025';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

import type { Channel, ChannelPort } from '../stdio/wire/channel.ts';

/** Makes the server of the 2025 era for one connection. */
export async function connect2025(
  table: MethodTable,
  binding: BindingOptions,
  port: ChannelPort,
  logger: Logger,
): Promise<Channel> {
  const server = createServer(table, binding);
  // The SDK's messages quote what the client has sent.
  server.onerror = ({ name }) => logger.warn({ error: name }, 'protocol error');
  const transport: Transport = {
    start: () => Promise.resolve(),
    send: (message) => {
      port.send(message);
      return Promise.resolve();
    },
    close: () => {
      transport.onclose?.();
      port.closed();
      return Promise.resolve();
    },
  };
  await server.connect(transport);
  return {
    // The router hands on only what is a message of JSON-RPC.
    deliver: (message) => transport.onmessage?.(message as JSONRPCMessage),
    close: () => server.close(),
  };
}
