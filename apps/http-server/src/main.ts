#!/usr/bin/env node
import { once } from 'node:events';

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
  isLoopbackHost,
  openAuthentication,
  openWithoutAuthentication,
  runCommand,
  serveHttp,
} from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import { invocation, isOpen, openSettings, settings } from './configuration.ts';

const name = 'mcp-deployments-http';
/** What a client asks for first, and all there is without authentication. */
const basicPermissions = ['deploy:read'];

await runCommand<typeof settings | typeof openSettings>(
  {
    name,
    version: manifest.version,
    description: manifest.description,
    settings: isOpen ? openSettings : settings,
    check: (config) => [
      ...(isLoopbackHost(config.HOST) || config.ALLOWED_HOSTS !== undefined
        ? []
        : ['ALLOWED_HOSTS is required, because HOST is not loopback']),
      ...('AUTH_ISSUER' in config ? checkAuthenticationSettings(config) : []),
    ],
    createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
    async run(config, { logger, signal }) {
      await using authentication =
        'AUTH_ISSUER' in config ? await openAuthentication(config, logger) : undefined;
      const { authorizer, gate } =
        authentication === undefined
          ? await openWithoutAuthentication(config, basicPermissions)
          : { authorizer: authentication.authorizer, gate: authentication.gate(basicPermissions) };
      await using platform = connectPlatform(platformOptions(config));
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer,
        logger,
        stateDirectory: config.STATE_DIRECTORY,
        ...auditOptions(config, platform.auditToken),
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
        gate,
      });
      logger.info({ url: http.url }, 'listening');
      if (!signal.aborted) await once(signal, 'abort');
    },
  },
  invocation,
);
