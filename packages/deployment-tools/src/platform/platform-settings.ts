import { z } from 'zod';

import type { PlatformOptions } from './platform.ts';

const httpUrl = z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' });

/** The environment variables that say where the platform is; spread them into a server's settings. */
export const platformSettings = {
  PLATFORM_CONFIGURATION_URL: { description: 'Base URL of the configuration service', schema: httpUrl },
  PLATFORM_DEPLOYMENTS_URL: { description: 'Base URL of the deployment API', schema: httpUrl },
  PLATFORM_TOKEN_URL: {
    description: 'Token endpoint at which this server gets its own tokens',
    schema: httpUrl,
  },
  PLATFORM_CLIENT_ID: { description: "This server's client id at the identity provider", schema: z.string() },
  PLATFORM_CLIENT_SECRET: {
    description: "This server's client secret; mount it and set PLATFORM_CLIENT_SECRET_FILE",
    schema: z.string(),
    secret: true,
  },
  PLATFORM_RESOURCE: {
    description: 'The platform as the identity provider knows it (the audience of those tokens)',
    schema: httpUrl,
  },
};

/** The options of `connectPlatform` from the values of these settings. */
export function platformOptions(settings: {
  readonly [Name in keyof typeof platformSettings]: string;
}): PlatformOptions {
  return {
    configurationUrl: settings.PLATFORM_CONFIGURATION_URL,
    deploymentsUrl: settings.PLATFORM_DEPLOYMENTS_URL,
    tokenUrl: settings.PLATFORM_TOKEN_URL,
    clientId: settings.PLATFORM_CLIENT_ID,
    clientSecret: settings.PLATFORM_CLIENT_SECRET,
    resource: settings.PLATFORM_RESOURCE,
  };
}
