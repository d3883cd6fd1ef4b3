import { platformSettings } from '@mcp-parts/deployment-tools';
import { commonSettings, authenticationSettings, type Settings } from '@mcp-parts/server-kit';
import { z } from 'zod';

const list = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .optional();

const serverSettings = {
  AUTH_MODE: {
    description: '"none" turns authentication off, on loopback only: everybody may read, nobody may deploy',
    schema: z.enum(['token', 'none']).default('token'),
  },
  HOST: { description: 'Address to listen on', schema: z.string().default('127.0.0.1') },
  PORT: {
    description: 'Port to listen on',
    schema: z.coerce.number('must be a port number').int().min(0).max(65_535).default(3000),
  },
  ALLOWED_HOSTS: {
    description: 'Host names to answer to, separated by commas; required unless HOST is loopback',
    schema: list,
  },
  ALLOWED_ORIGINS: {
    description: 'Origins of web pages that may call the server, separated by commas',
    schema: list,
  },
  TRUSTED_PROXIES: {
    description: 'Addresses of proxies that may name the source address, separated by commas',
    schema: list,
  },
  READINESS_DELAY_MS: {
    description: 'How long to go on serving after SIGTERM until load balancers have noticed, in ms',
    schema: z.coerce.number('must be a number of milliseconds').int().min(0).max(60_000).default(0),
  },
  ...platformSettings,
  ...commonSettings,
} satisfies Settings;

/** Every environment variable of the program. */
export const settings = { ...authenticationSettings, ...serverSettings } satisfies Settings;

/** Those that count when authentication is off. */
export const openSettings = {
  POLICY_FILE: authenticationSettings.POLICY_FILE,
  ...serverSettings,
} satisfies Settings;

/** Whether authentication is off. Nothing but exactly this turns it off. */
export const isOpen = process.env['AUTH_MODE'] === 'none';

/** What the operating system gives the program. */
export const invocation = { argv: process.argv.slice(2), environment: process.env };
