import {
  deploymentSettings,
  deploymentToolsets,
  platformSettings,
} from '@mcp-parts/deployment-tools/settings';
import {
  authenticationSettings,
  catalogSettings,
  commonSettings,
  type Invocation,
  type Settings,
} from '@mcp-parts/server-kit/stdio';
import { z } from 'zod';

/** Every environment variable of the program. */
export const settings = {
  ACCESS_TOKEN: {
    description: 'Access token of the person that the server works for. Without it, the server may only read',
    schema: z.string().optional(),
    secret: true,
  },
  ...authenticationSettings,
  ...catalogSettings(deploymentToolsets),
  ...deploymentSettings,
  ...platformSettings,
  ...commonSettings,
} satisfies Settings;

/** What the operating system gives the program. */
export function readInvocation(): Invocation {
  return { argv: process.argv.slice(2), environment: process.env };
}
