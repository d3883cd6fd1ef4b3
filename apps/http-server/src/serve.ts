import { once } from 'node:events';

import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  deploymentRules,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import { createTelemetry, type TelemetryOptions } from '@mcp-parts/observability';
import type { SharedRedis } from '@mcp-parts/redis';
import {
  assembleServer,
  auditOptions,
  httpOptions,
  serveHttp,
  taskOptions,
  type AssembleOptions,
  type ServeHttpOptions,
  type SettingValues,
} from '@mcp-parts/server-kit';

import type { unauthenticatedSettings } from './configuration.ts';
import { program } from './program.ts';

/** What the program has besides its settings. */
export interface ServeContext extends Pick<AssembleOptions, 'logger'>, Pick<TelemetryOptions, 'otlp'> {
  readonly signal: AbortSignal;
  /** What replicas share. @default this server is on its own */
  readonly redis?: SharedRedis | undefined;
}

/** Serves the deployment tools over HTTP until the signal aborts. */
export async function serve(
  config: SettingValues<typeof unauthenticatedSettings>,
  access: Pick<AssembleOptions, 'authorizer' | 'ages' | 'rights'> & Pick<ServeHttpOptions, 'gate'>,
  { logger, signal, otlp, redis }: ServeContext,
): Promise<void> {
  const { name, version } = program;
  await using telemetry = createTelemetry({ serviceName: name, serviceVersion: version, otlp });
  await using platform = connectPlatform({ ...platformOptions(config), meter: telemetry.meter });
  await using server = await assembleServer({
    serverInfo: { name, version, title: 'Deployments' },
    instructions: deploymentInstructions,
    definitions: createDeploymentTools({ ...platform, ...deploymentRules(config) }),
    readOnly: config.READ_ONLY,
    toolsets: config.TOOLSETS,
    authorizer: access.authorizer,
    ages: access.ages,
    rights: access.rights,
    // Nothing tells when a configuration changes.
    watchable: false,
    logger,
    stateDirectory: config.STATE_DIRECTORY,
    ...auditOptions(config, platform.auditToken),
    requestStateKey: config.SESSION_KEY,
    rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
    serverRateLimitPerMinute: config.SERVER_RATE_LIMIT_PER_MINUTE,
    maxConcurrentCalls: config.MAX_CONCURRENT_CALLS,
    serverMaxConcurrentCalls: config.SERVER_MAX_CONCURRENT_CALLS,
    deadlineMs: config.CALL_DEADLINE_MS,
    maxOutputBytes: config.MAX_OUTPUT_BYTES,
    answerBytes: config.ANSWER_BYTES,
    terminationGraceMs: config.TERMINATION_GRACE_MS,
    tasks: taskOptions(config),
    probes: { ...platform.probes, ...(redis && { redis: redis.probe }) },
    ports: {
      telemetry,
      rateLimiter: redis?.rateLimiter,
      confirmations: redis?.replays,
      approvals: redis?.approvals,
      idempotency: redis?.idempotency,
      events: redis?.events,
      taskStore: await redis?.openTaskStore(),
    },
    readinessRequires: config.READINESS_REQUIRES,
  });
  await using http = await serveHttp(server, { ...httpOptions(config), gate: access.gate });
  logger.info({ url: http.url, operatorUrl: http.operatorUrl }, 'listening');
  if (!signal.aborted) {
    await once(signal, 'abort');
  }
}
