#!/usr/bin/env node
import {
  checkAuthenticationSettings,
  checkHttpSettings,
  openAuthentication,
  unauthenticatedAccess,
  runCommand,
} from '@mcp-parts/server-kit';

import { isUnauthenticated, readInvocation, settings, unauthenticatedSettings } from './configuration.ts';
import { program } from './program.ts';
import { serve } from './serve.ts';

/** What a client asks for first, and all there is without authentication. */
const basicPermissions = ['deploy:read'];

const invocation = readInvocation();

if (isUnauthenticated(invocation)) {
  await runCommand(
    {
      ...program,
      settings: unauthenticatedSettings,
      check: checkHttpSettings,
      run: async (config, context) =>
        serve(config, await unauthenticatedAccess(config, basicPermissions, context.logger), context),
    },
    invocation,
  );
} else {
  await runCommand(
    {
      ...program,
      settings,
      check: (config) => [...checkHttpSettings(config), ...checkAuthenticationSettings(config)],
      run: async (config, context) => {
        await using authentication = await openAuthentication(config, context.logger);
        const { authorizer, ages, rights } = authentication;
        await serve(
          config,
          { authorizer, ages, rights, gate: authentication.gate(basicPermissions) },
          context,
        );
      },
    },
    invocation,
  );
}
