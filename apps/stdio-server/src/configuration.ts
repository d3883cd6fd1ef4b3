import { platformSettings } from '@mcp-parts/deployment-tools';
import { commonSettings, authenticationSettings, type Settings } from '@mcp-parts/server-kit';
import { z } from 'zod';

/** Every environment variable of the program. */
export const settings = {
  ACCESS_TOKEN: {
    description: 'Access token of the person it works for; without it, it may only read',
    schema: z.string().optional(),
    secret: true,
  },
  ...authenticationSettings,
  ...platformSettings,
  ...commonSettings,
} satisfies Settings;

/** What the operating system gives the program. */
export const invocation = { argv: process.argv.slice(2), environment: process.env };
