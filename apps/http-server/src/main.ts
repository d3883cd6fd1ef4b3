#!/usr/bin/env node
import { once } from 'node:events';

import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import { createLogger } from '@mcp-parts/observability';
import { assembleServer, openAuthentication, runCommand, serveHttp } from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import { invocation, settings } from './configuration.ts';

const name = 'mcp-deployments-http';

await runCommand(
  {
    name,
    version: manifest.version,
    description: manifest.description,
    settings,
    createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
    async run(config, { logger, signal }) {
      await using authentication = await openAuthentication(config, logger);
      await using platform = connectPlatform(platformOptions(config));
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer: authentication.authorizer,
        logger,
        stateDirectory: config.STATE_DIRECTORY,
        auditCollector:
          config.AUDIT_COLLECTOR_URL === undefined
            ? undefined
            : { url: config.AUDIT_COLLECTOR_URL, token: platform.auditToken },
        rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
        probes: platform.probes,
      });
      await using http = await serveHttp(server, {
        host: config.HOST,
        port: config.PORT,
        allowedHosts: config.ALLOWED_HOSTS,
        allowedOrigins: config.ALLOWED_ORIGINS,
        trustedProxies: config.TRUSTED_PROXIES,
        readinessDelayMs: config.READINESS_DELAY_MS,
        gate: authentication.gate(['deploy:read']),
      });
      logger.info({ url: http.url }, 'listening');
      if (!signal.aborted) await once(signal, 'abort');
    },
  },
  invocation,
);
