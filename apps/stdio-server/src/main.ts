#!/usr/bin/env node
import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import { createLogger } from '@mcp-parts/observability';
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
    createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name, level: LOG_LEVEL, otlp }),
    async run(config, { logger, signal, otlp }) {
      await using authentication = await openAuthentication(config, logger);
      const caller = await identify(config.ACCESS_TOKEN, authentication.authenticator, { logger, signal });
      await using platform = connectPlatform(platformOptions(config));
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer: authentication.authorizer,
        logger,
        otlp,
        stateDirectory: config.STATE_DIRECTORY,
        ...auditOptions(config, platform.auditToken),
        rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
        terminationGraceMs: config.TERMINATION_GRACE_MS,
        probes: platform.probes,
      });
      platform.measureRequests(server.telemetry.recordHttpClientCall);
      await serveStdio(server, { caller, signal });
    },
  },
  readInvocation(),
);
