import { z } from 'zod';

import type { Settings, SettingValues } from './settings.ts';

/** The settings of what replicas share, which `@mcp-parts/redis` opens; spread them into your own. */
export const redisSettings = {
  REDIS_URL: {
    description:
      'redis://HOST:PORT, or rediss:// for TLS, of the Redis or Valkey that the replicas share. Without it, each replica is on its own',
    schema: z.string().refine(isRedisUrl, 'must be redis://HOST:PORT/DATABASE, or rediss://').optional(),
    // It may hold a password.
    secret: true,
  },
  REDIS_USERNAME: {
    description: 'User of the access control list of Redis',
    schema: z.string().min(1).optional(),
  },
  REDIS_PASSWORD: {
    description: 'Password for Redis',
    schema: z.string().min(1).optional(),
    secret: true,
  },
  REDIS_CA: {
    description: 'PEM of whom the certificate of Redis must come from; give it as REDIS_CA_FILE',
    schema: z.string().includes('-----BEGIN CERTIFICATE-----', { error: 'must be PEM' }).optional(),
  },
  REDIS_PREFIX: {
    description: 'What the keys in Redis begin with: servers with the same one share everything',
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/u, 'must be 1 to 100 visible ASCII characters')
      .default('{mcp-parts}:'),
  },
} satisfies Settings;

function isRedisUrl(text: string): boolean {
  const url = /^rediss?:\/\/[^/?#\s]+(?:\/\d{0,5})?$/u.test(text) ? URL.parse(text) : null;
  return url !== null && url.hostname !== '' && url.port !== '0' && isDecodable(url.username + url.password);
}

/** A user or password in a URL has its odd characters as `%40`. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with Redis settings that are right one by one; for `check` of `runCommand`. */
export function checkRedisSettings(settings: SettingValues<typeof redisSettings>): readonly string[] {
  const { REDIS_URL: url, REDIS_CA: ca, REDIS_USERNAME: username, REDIS_PASSWORD: password } = settings;
  const problems: string[] = [];
  if (url === undefined && (ca ?? username ?? password) !== undefined) {
    problems.push('REDIS_URL is required, because other settings of Redis are given');
  }
  if (ca !== undefined && url?.startsWith('redis:') === true) {
    problems.push('REDIS_URL must begin with rediss://, because REDIS_CA is given');
  }
  if (username !== undefined && password === undefined) {
    problems.push('REDIS_PASSWORD is required, because REDIS_USERNAME is given');
  }
  return problems;
}

/** What the settings ask for, as options of `openRedis`; `undefined` without a `REDIS_URL`. */
export function redisOptions(values: SettingValues<typeof redisSettings>) {
  const { REDIS_URL: url } = values;
  return url === undefined
    ? undefined
    : {
        url,
        username: values.REDIS_USERNAME,
        password: values.REDIS_PASSWORD,
        ca: values.REDIS_CA,
        prefix: values.REDIS_PREFIX,
      };
}
