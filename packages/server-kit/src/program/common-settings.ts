import { z } from 'zod';

import { auditSettings } from './audit-settings.ts';
import type { Settings } from './settings.ts';

/** The settings that every server made with this package needs; spread them into your own. */
export const commonSettings = {
  LOG_LEVEL: {
    description: 'How much goes to standard error: debug, info, warn, error or silent',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  },
  STATE_DIRECTORY: {
    description: 'Folder on a local disk for the audit trail and the tasks',
    schema: z.string(),
  },
  RATE_LIMIT_PER_MINUTE: {
    description: 'Calls per minute for each caller',
    schema: z.coerce.number('must be a whole number').int().min(1).max(1_000_000).default(100),
  },
  ...auditSettings,
} satisfies Settings;

/** The settings of `openAuthentication`; spread them into your own. */
export const authenticationSettings = {
  AUTH_ISSUER: {
    description: 'The identity provider whose access tokens are accepted',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }),
  },
  AUTH_AUDIENCE: {
    description: "The audience that a token must be issued for: this server's public URL",
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }),
  },
  AUTH_ALGORITHMS: {
    description: 'Signature algorithms that a token may use, separated by commas',
    schema: z
      .string()
      .default('RS256')
      .transform((text) => text.split(',').map((name) => name.trim())),
  },
  AUTH_INTROSPECTION_URL: {
    description:
      'Where AUTH_ISSUER tells what an opaque token is (RFC 7662); without it only JWTs are accepted',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }).optional(),
  },
  AUTH_INTROSPECTION_CLIENT_ID: {
    description: 'The client that this server is there',
    schema: z.string().min(1).optional(),
  },
  AUTH_INTROSPECTION_CLIENT_SECRET: {
    description: 'The secret of that client',
    schema: z.string().min(1).optional(),
    secret: true,
  },
  POLICY_FILE: {
    description: 'Who may do what: a YAML or JSON policy document',
    schema: z.string(),
  },
  DIRECTORY_FILE: {
    description:
      'Users and their groups, read again when it changes, or where LDAP has them: a YAML or JSON file',
    schema: z.string(),
  },
  DIRECTORY_PASSWORD: {
    description: 'Password of the account that DIRECTORY_FILE names for LDAP',
    schema: z.string().min(1).optional(),
    secret: true,
  },
} satisfies Settings;
