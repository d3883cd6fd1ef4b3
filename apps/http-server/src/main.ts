#!/usr/bin/env node
import { once } from 'node:events';

import {
  createAuthenticator,
  createFileDirectory,
  createPolicy,
  createTokenVerifier,
  loadPolicy,
} from '@mcp-parts/auth';
import { connectPlatform, createDeploymentTools, deploymentInstructions } from '@mcp-parts/deployment-tools';
import { createLogger } from '@mcp-parts/observability';
import { assembleServer, runCommand, serveHttp } from '@mcp-parts/server-kit';

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
      const policy = createPolicy(await loadPolicy(config.POLICY_FILE));
      await using platform = connectPlatform({
        configurationUrl: config.PLATFORM_CONFIGURATION_URL,
        deploymentsUrl: config.PLATFORM_DEPLOYMENTS_URL,
        tokenUrl: config.PLATFORM_TOKEN_URL,
        clientId: config.PLATFORM_CLIENT_ID,
        clientSecret: config.PLATFORM_CLIENT_SECRET,
        resource: config.PLATFORM_RESOURCE,
      });
      await using verifier = createTokenVerifier({
        issuer: config.AUTH_ISSUER,
        audience: config.AUTH_AUDIENCE,
        algorithms: config.AUTH_ALGORITHMS,
      });
      const directory = await createFileDirectory({ path: config.DIRECTORY_FILE, logger });
      await using authenticator = createAuthenticator({ verifier, directory, policy });
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer: policy,
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
        gate: {
          authenticator,
          resource: config.AUTH_AUDIENCE,
          authorizationServers: [config.AUTH_ISSUER],
          scopes: policy.scopesFor(policy.permissions),
          basicScopes: ['deploy:read'],
        },
      });
      logger.info({ url: http.url }, 'listening');
      if (!signal.aborted) await once(signal, 'abort');
    },
  },
  invocation,
);
