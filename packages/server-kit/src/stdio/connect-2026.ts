import type { Readable, Writable } from 'node:stream';

import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2026';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** Serves one connection of the 2026 era; returns how to close it. */
export function connect2026(
  table: MethodTable,
  binding: BindingOptions,
  streams: { readonly input: Readable; readonly output: Writable },
  logger: Logger,
): Promise<() => Promise<void>> {
  const handle = serveStdio(() => createServer(table, binding), {
    legacy: 'reject',
    transport: new StdioServerTransport(streams.input, streams.output),
    onerror: (error) => logger.warn({ err: error }, 'protocol error'),
  });
  return Promise.resolve(() => handle.close());
}
