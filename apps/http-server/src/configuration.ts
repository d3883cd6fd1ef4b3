import { deploymentSettings, deploymentToolsets, platformSettings } from '@mcp-parts/deployment-tools';
import {
  authenticationSettings,
  catalogSettings,
  commonSettings,
  httpSettings,
  redisSettings,
  taskSettings,
  type Invocation,
  type Settings,
} from '@mcp-parts/server-kit';
import { z } from 'zod';

const serverSettings = {
  AUTH_MODE: {
    description:
      'How callers prove who they are: by token, or "none" on loopback, where everybody may then read and nobody may deploy',
    schema: z.enum(['token', 'none']).default('token'),
  },
  ...httpSettings,
  ...redisSettings,
  ...taskSettings,
  ...catalogSettings(deploymentToolsets),
  ...deploymentSettings,
  ...platformSettings,
  ...commonSettings,
} satisfies Settings;

/** Every environment variable of the program. */
export const settings = {
  ...authenticationSettings,
  ...serverSettings,
  AUTH_MODE: {
    description: serverSettings.AUTH_MODE.description,
    // Other settings take "none" with white space around it for "none"; this one opens the server.
    schema: serverSettings.AUTH_MODE.schema.refine(
      (mode) => mode === 'token',
      'write exactly none, or token',
    ),
  },
} satisfies Settings;

/** Those that count when authentication is off. */
export const unauthenticatedSettings = {
  POLICY_FILE: authenticationSettings.POLICY_FILE,
  ...serverSettings,
} satisfies Settings;

/** Whether authentication is off. Nothing but exactly this turns it off. */
export function isUnauthenticated({ environment }: Invocation): boolean {
  return environment['AUTH_MODE'] === 'none';
}

/** What the operating system gives the program. */
export function readInvocation(): Invocation {
  return { argv: process.argv.slice(2), environment: process.env };
}
