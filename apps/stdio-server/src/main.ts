#!/usr/bin/env node
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
  runCommand,
  serveStdio,
} from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import { identify } from './caller.ts';
import { readInvocation, settings } from './configuration.ts';

const name = 'mcp-deployments';

await runCommand(
  {
    name,
    version: manifest.version,
    description: manifest.description,
    settings,
    check: checkAuthenticationSettings,
    terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
    createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
    async run(config, { logger, signal }) {
      await using authentication = await openAuthentication(config, logger);
      const caller = await identify(config.ACCESS_TOKEN, authentication.authenticator, { logger, signal });
      await using telemetry = createTelemetry({ serviceName: name, serviceVersion: manifest.version });
      await using platform = connectPlatform({ ...platformOptions(config), meter: telemetry.meter });
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
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
        terminationGraceMs: config.TERMINATION_GRACE_MS,
        probes: platform.probes,
        telemetry,
      });
      await serveStdio(server, { caller, signal });
    },
  },
  readInvocation(),
);
