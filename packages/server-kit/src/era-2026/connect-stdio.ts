import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2026';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

import type { Channel, ChannelPort } from '../stdio/wire/channel.ts';
import { createStdioSubscriptions } from './stdio-subscriptions.ts';

/** Makes the server of 2026-07-28 for one connection; it holds the subscriptions, too. */
export function connect2026(
  table: MethodTable,
  binding: BindingOptions,
  port: ChannelPort,
  logger: Logger,
): Promise<Channel> {
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
  const handle = serveStdio(() => createServer(table, binding), {
    legacy: 'reject',
    transport,
    // The SDK's messages quote what the client has sent.
    onerror: ({ name }) => logger.warn({ error: name }, 'protocol error'),
  });
  const subscriptions = createStdioSubscriptions(table, binding, port.send);
  return Promise.resolve({
    deliver(message) {
      if (!subscriptions.take(message)) {
        // The router hands on only what is a message of JSON-RPC.
        transport.onmessage?.(message as JSONRPCMessage);
      }
    },
    close() {
      subscriptions.close();
      return handle.close();
    },
  });
}
