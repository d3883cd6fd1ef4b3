#!/usr/bin/env node
import {
  checkAuthenticationSettings,
  checkHttpSettings,
  checkRedisSettings,
  openAuthentication,
  unauthenticatedAccess,
  runCommand,
} from '@mcp-parts/server-kit';

import { isUnauthenticated, readInvocation, settings, unauthenticatedSettings } from './configuration.ts';
import { program } from './program.ts';
import { serve } from './serve.ts';
import { openShared } from './shared.ts';

/** What a client asks for first, and all there is without authentication. */
const basicPermissions = ['deploy:read'];

const invocation = readInvocation();

if (isUnauthenticated(invocation)) {
  await runCommand(
    {
      ...program,
      settings: unauthenticatedSettings,
      check: (config) => [...checkHttpSettings(config), ...checkRedisSettings(config)],
      run: async (config, context) => {
        await using redis = await openShared(config, context.logger);
        const access = await unauthenticatedAccess(config, basicPermissions, context.logger);
        await serve(config, access, { ...context, redis });
      },
    },
    invocation,
  );
} else {
  await runCommand(
    {
      ...program,
      settings,
      check: (config) => [
        ...checkHttpSettings(config),
        ...checkAuthenticationSettings(config),
        ...checkRedisSettings(config),
      ],
      run: async (config, context) => {
        await using redis = await openShared(config, context.logger);
        await using authentication = await openAuthentication(config, context.logger, {
          replays: redis?.replays,
        });
        const { authorizer, ages, rights } = authentication;
        const access = { authorizer, ages, rights, gate: authentication.gate(basicPermissions) };
        await serve(config, access, { ...context, redis });
      },
    },
    invocation,
  );
}
