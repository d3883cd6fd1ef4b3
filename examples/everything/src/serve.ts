import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { assembleServer, serveHttp, type Server } from '@mcp-parts/server-kit';
import { createEventBus, type CatalogDefinitions, type Logger } from '@mcp-parts/tool-kit';

import type { Running } from './changes.ts';
import { harmless } from './harmless.ts';

/** A server on loopback that lets everybody in, and forgets everything when it ends. */
export interface OpenServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves definitions on a port of loopback; 0 takes a free one. They are handed the server that they will be part of. */
export async function serveOpenly(
  define: (running: () => Running) => CatalogDefinitions,
  { port, logger }: { readonly port: number; readonly logger: Logger },
): Promise<OpenServer> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'everything-'));
  const events = createEventBus();
  const server: Server = await assembleServer({
    serverInfo: { name: 'everything', version: '1.0.0', title: 'One of everything' },
    instructions: 'Call any tool: none of them changes anything.',
    definitions: define(() => server),
    ports: { events },
    logger,
    stateDirectory,
    rateLimitPerMinute: 100_000,
  });
  const caller = localCaller({ name: 'everybody', permissions: [harmless.permission] });
  const http = await serveHttp(server, { port, gate: { unauthenticated: caller } });
  return {
    url: http.url,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await server.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
