import { once } from 'node:events';

import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import {
  assembleServer,
  auditOptions,
  httpOptions,
  serveHttp,
  type AssembleOptions,
  type ServeHttpOptions,
  type SettingValues,
} from '@mcp-parts/server-kit';

import type { unauthenticatedSettings } from './configuration.ts';
import { program } from './program.ts';

/** Serves the deployment tools over HTTP until the signal aborts. */
export async function serve(
  config: SettingValues<typeof unauthenticatedSettings>,
  access: Pick<AssembleOptions, 'authorizer'> & Pick<ServeHttpOptions, 'gate'>,
  { logger, signal, otlp }: Pick<AssembleOptions, 'logger' | 'otlp'> & { readonly signal: AbortSignal },
): Promise<void> {
  await using platform = connectPlatform(platformOptions(config));
  await using server = await assembleServer({
    serverInfo: { name: program.name, version: program.version, title: 'Deployments' },
    instructions: deploymentInstructions,
    definitions: createDeploymentTools(platform),
    authorizer: access.authorizer,
    logger,
    otlp,
    stateDirectory: config.STATE_DIRECTORY,
    ...auditOptions(config, platform.auditToken),
    rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
    terminationGraceMs: config.TERMINATION_GRACE_MS,
    probes: platform.probes,
  });
  platform.measureRequests(server.telemetry.recordHttpClientCall);
  await using http = await serveHttp(server, { ...httpOptions(config), gate: access.gate });
  logger.info({ url: http.url }, 'listening');
  if (!signal.aborted) {
    await once(signal, 'abort');
  }
}
