#!/usr/bin/env node
<<<<<<< HEAD
import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import { createLogger, createTelemetry } from '@mcp-parts/observability';
import {
  assembleServer,
  auditOptions,
  checkAuthenticationSettings,
  openAuthentication,
  openStdio,
  runCommand,
} from '@mcp-parts/server-kit';
=======
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
>>>>>>> stdio/main

const FLUSH_AFTER_MS = 5_000;

// Halves the start. Not in the directory for temporary files, where somebody else could put code for this program.
enableCompileCache(join(homedir(), '.cache', 'mcp-deployments'));
// Many clients kill the program, and then nothing is written when it ends.
setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();

<<<<<<< HEAD
await runCommand(
  {
    name,
    version: manifest.version,
    description: manifest.description,
    settings,
    check: checkAuthenticationSettings,
    terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
    createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name, level: LOG_LEVEL, otlp }),
    // Claude Code sends SIGTERM 100 ms after SIGINT, and SIGKILL 400 ms after that.
    interruptGraceMs: 400,
    async run(config, { logger, signal, urgent, otlp }) {
      const serverInfo = { name, version: manifest.version, title: 'Deployments' };
      const { TERMINATION_GRACE_MS: terminationGraceMs } = config;
      // Answers the client from here on: some wait for no more than a second.
      await using connection = openStdio({
        serverInfo,
        instructions: deploymentInstructions,
        capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
        logger,
        terminationGraceMs,
        signal,
        urgent,
      });
      await using authentication = await openAuthentication(config, logger);
      await using telemetry = createTelemetry({ serviceName: name, serviceVersion: manifest.version, otlp });
      await using platform = connectPlatform({ ...platformOptions(config), meter: telemetry.meter });
      const caller = await identify(config.ACCESS_TOKEN, authentication.authenticator, {
        logger,
        signal: connection.signal,
      });
      await using server = await assembleServer({
        serverInfo,
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer: authentication.authorizer,
        ages: authentication.ages,
        logger,
        stateDirectory: config.STATE_DIRECTORY,
        ...auditOptions(config, platform.auditToken),
        rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
        deadlineMs: config.CALL_DEADLINE_MS,
        maxOutputBytes: config.MAX_OUTPUT_BYTES,
        terminationGraceMs,
        probes: platform.probes,
        telemetry,
      });
      await connection.serve(server, { caller });
    },
  },
  readInvocation(),
);
=======
const { run } = await import('./program.ts');
await run();
>>>>>>> stdio/main
