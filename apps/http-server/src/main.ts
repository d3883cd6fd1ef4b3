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
  openAuthentication,
  openWithoutAuthentication,
  runCommand,
  serveHttp,
  type AssembleOptions,
  type ServeHttpOptions,
  type SettingValues,
} from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import { invocation, isOpen, openSettings, settings } from './configuration.ts';

const name = 'mcp-deployments-http';

const command = { name, version: manifest.version, description: manifest.description };

if (isOpen) {
  await runCommand(
    {
      ...command,
      settings: openSettings,
      createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
      async run(config, context) {
        await serve(config, await openWithoutAuthentication(config, ['deploy:read']), context);
      },
    },
    invocation,
  );
} else {
  await runCommand(
    {
      ...command,
      settings,
      createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
      async run(config, context) {
        await using authentication = await openAuthentication(config, context.logger);
        const { authorizer } = authentication;
        await serve(config, { authorizer, gate: authentication.gate(['deploy:read']) }, context);
      },
    },
    invocation,
  );
}

async function serve(
  config: SettingValues<typeof openSettings>,
  { authorizer, gate }: Pick<AssembleOptions, 'authorizer'> & Pick<ServeHttpOptions, 'gate'>,
  { logger, signal }: Pick<AssembleOptions, 'logger'> & { readonly signal: AbortSignal },
): Promise<void> {
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
}
