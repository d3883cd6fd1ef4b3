import {
  connectPlatform,
  createDeploymentTools,
  deploymentInstructions,
  deploymentRules,
  platformOptions,
} from '@mcp-parts/deployment-tools';
import { createTelemetry, type TelemetryOptions } from '@mcp-parts/observability';
import {
  assembleServer,
  auditOptions,
  checkAuthenticationSettings,
  openAuthentication,
  SettingsError,
  type SettingValues,
  type StdioConnection,
} from '@mcp-parts/server-kit';
import type { BindingOptions, Logger } from '@mcp-parts/tool-kit';

import { identify } from './caller.ts';
import type { settings } from './configuration.ts';

/** What the program has when its client is already being answered. */
export interface ServeContext {
  readonly connection: StdioConnection;
  readonly serverInfo: BindingOptions['serverInfo'];
  readonly logger: Logger;
  readonly otlp: TelemetryOptions['otlp'];
}

/** Finds out who the caller is, opens the server and serves the connection until it ends. */
export async function serve(
  config: SettingValues<typeof settings>,
  { connection, serverInfo, logger, otlp }: ServeContext,
): Promise<void> {
  const problems = checkAuthenticationSettings(config);
  if (problems.length > 0) {
    throw new SettingsError(problems);
  }
  await using authentication = await openAuthentication(config, logger);
  const { name, version } = serverInfo;
  await using telemetry = createTelemetry({ serviceName: name, serviceVersion: version, otlp });
  await using platform = connectPlatform({ ...platformOptions(config), meter: telemetry.meter });
  const caller = await identify(config.ACCESS_TOKEN, authentication.authenticator, {
    logger,
    signal: connection.signal,
  });
  await using server = await assembleServer({
    serverInfo,
    instructions: deploymentInstructions,
    definitions: createDeploymentTools({ ...platform, ...deploymentRules(config) }),
    readOnly: config.READ_ONLY,
    toolsets: config.TOOLSETS,
    authorizer: authentication.authorizer,
    ages: authentication.ages,
    rights: authentication.rights,
    logger,
    stateDirectory: config.STATE_DIRECTORY,
    ...auditOptions(config, platform.auditToken),
    rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
    serverRateLimitPerMinute: config.SERVER_RATE_LIMIT_PER_MINUTE,
    maxConcurrentCalls: config.MAX_CONCURRENT_CALLS,
    serverMaxConcurrentCalls: config.SERVER_MAX_CONCURRENT_CALLS,
    deadlineMs: config.CALL_DEADLINE_MS,
    maxOutputBytes: config.MAX_OUTPUT_BYTES,
    answerBytes: config.ANSWER_BYTES,
    terminationGraceMs: config.TERMINATION_GRACE_MS,
    probes: platform.probes,
    ports: { telemetry },
  });
  await connection.serve(server, { caller });
}
