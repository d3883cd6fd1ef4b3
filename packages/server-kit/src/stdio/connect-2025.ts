import type { Readable, Writable } from 'node:stream';

import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2025';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/** Serves one connection of the 2025 era; returns how to close it. */
export async function connect2025(
  table: MethodTable,
  binding: BindingOptions,
  streams: { readonly input: Readable; readonly output: Writable },
  logger: Logger,
): Promise<() => Promise<void>> {
  const server = createServer(table, binding);
  server.onerror = (error) => logger.warn({ err: error }, 'protocol error');
  await server.connect(new StdioServerTransport(streams.input, streams.output));
  return () => server.close();
}
