#!/usr/bin/env node
import { once } from 'node:events';

import { createLogger, createTelemetry } from '@mcp-parts/observability';
import {
  assembleServer,
  checkHttpSettings,
  // <redis>
  checkRedisSettings,
  // </redis>
  httpOptions,
  runCommand,
  serveHttp,
} from '@mcp-parts/server-kit';

import { checkAccess, openAccess } from './access.ts';
import { httpServerSettings, readInvocation } from './configuration.ts';
import { withParts } from './parts.ts';
import { serverInfo, serverOptions } from './server.ts';
// <redis>
import { openShared } from './shared.ts';
// </redis>

await runCommand(
  {
    name: serverInfo.name,
    version: serverInfo.version,
    description: 'Serves clients over HTTP.',
    settings: httpServerSettings,
    check: (settings) => [
      ...checkHttpSettings(settings),
      ...checkAccess(settings),
      // <redis>
      ...checkRedisSettings(settings),
      // </redis>
    ],
    terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
    createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name: serverInfo.name, level: LOG_LEVEL, otlp }),
    run: (settings, { logger, signal, otlp }) =>
      withParts(settings, async (parts) => {
        const { name, version } = serverInfo;
        await using telemetry = createTelemetry({ serviceName: name, serviceVersion: version, otlp });
        // <redis>
        await using redis = await openShared(settings, logger);
        // </redis>
        await using access = await openAccess(settings, logger, {
          // <redis>
          replays: redis?.replays,
          // </redis>
        });
        await using server = await assembleServer({
          ...serverOptions(settings, parts),
          ...access.server,
          logger,
          requestStateKey: settings.SESSION_KEY,
          // <redis>
          probes: redis && { redis: redis.probe },
          // </redis>
          readinessRequires: settings.READINESS_REQUIRES,
          ports: {
            telemetry,
            // <redis>
            rateLimiter: redis?.rateLimiter,
            confirmations: redis?.replays,
            events: redis?.events,
            // <tasks>
            taskStore: await redis?.openTaskStore(),
            // </tasks>
            // </redis>
          },
        });
        await using http = await serveHttp(server, { ...httpOptions(settings), gate: access.gate });
        logger.info({ url: http.url, operatorUrl: http.operatorUrl }, 'listening');
        if (!signal.aborted) {
          await once(signal, 'abort');
        }
      }),
  },
  readInvocation(),
);
