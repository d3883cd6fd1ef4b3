import { deploymentInstructions } from '@mcp-parts/deployment-tools/settings';
import { createLogger } from '@mcp-parts/observability/logger';
import { openStdio, runCommand } from '@mcp-parts/server-kit/stdio';

import manifest from '../package.json' with { type: 'json' };
import { readInvocation, settings } from './configuration.ts';

const name = 'mcp-deployments';

/** Runs the program until its client has gone. */
export const run = (): Promise<void> =>
  runCommand(
    {
      name,
      version: manifest.version,
      description: manifest.description,
      settings,
      terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
      // Claude Code sends SIGTERM 100 ms after SIGINT, and SIGKILL 400 ms after that.
      interruptGraceMs: 400,
      createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name, level: LOG_LEVEL, otlp }),
      async run(config, { logger, signal, urgent, otlp }) {
        const serverInfo = { name, version: manifest.version, title: 'Deployments' };
        // Answers the client from here on: some wait for no more than a second.
        await using connection = openStdio({
          serverInfo,
          instructions: deploymentInstructions,
          capabilities: {
            tools: { listChanged: true },
            resources: { listChanged: true },
            prompts: { listChanged: true },
            completions: {},
            logging: {},
            // Only deployments are long-running.
            ...(deploys(config) && { extensions: { 'io.modelcontextprotocol/tasks': {} } }),
          },
          logger,
          terminationGraceMs: config.TERMINATION_GRACE_MS,
          signal,
          urgent,
        });
        await connection.opened;
        const { serve } = await import('./serve.ts');
        await serve(config, { connection, serverInfo, logger, otlp });
      },
    },
    readInvocation(),
  );

/** Whether a server that offers this part of its tools offers to deploy. */
function deploys({
  READ_ONLY,
  TOOLSETS,
}: {
  readonly READ_ONLY: boolean;
  readonly TOOLSETS: readonly string[] | undefined;
}): boolean {
  return !READ_ONLY && (TOOLSETS === undefined || TOOLSETS.includes('deployments'));
}
