#!/usr/bin/env node
import { localCaller } from '@mcp-parts/auth';
import { createLogger } from '@mcp-parts/observability';
import { assembleServer, runCommand, serveStdio } from '@mcp-parts/server-kit';

import { readInvocation, stdioServerSettings } from './configuration.ts';
import { withParts } from './parts.ts';
import { serverInfo, serverOptions } from './server.ts';

/** The person whose client starts the server. */
const caller = localCaller({ name: 'me', permissions: ['tickets:read', 'tickets:write'] });

await runCommand(
  {
    name: serverInfo.name,
    version: serverInfo.version,
    description: 'Serves one client over standard input and output.',
    settings: stdioServerSettings,
    terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
    // Claude Code kills the program 400 ms after it has asked it to end.
    interruptGraceMs: 400,
    createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name: serverInfo.name, level: LOG_LEVEL, otlp }),
    run: (settings, { logger, signal, urgent }) =>
      withParts(settings, async (parts) => {
        await using server = await assembleServer({ ...serverOptions(settings, parts), logger });
        await serveStdio(server, { caller, signal, urgent });
      }),
  },
  readInvocation(),
);
