import { z } from 'zod';

import { resolveRateLimitOptions } from '../server/rate-limit-options.ts';
import { resolveShutdownOptions } from '../server/shutdown-budget.ts';
import { auditSettings } from './audit-settings.ts';
import { booleanSetting, choiceSetting } from './kinds/choice-setting.ts';
import { listSetting, wordEntry } from './kinds/list-setting.ts';
import { numberSetting } from './kinds/number-setting.ts';
import { pathSetting } from './kinds/path-setting.ts';
import type { Settings } from './settings.ts';

/** The settings that every server made with this package needs; spread them into your own. */
export const commonSettings = {
  LOG_LEVEL: {
    description: 'What is logged to standard error: debug, info, warn, error or silent',
    schema: choiceSetting(['debug', 'info', 'warn', 'error', 'silent'], 'info'),
  },
  STATE_DIRECTORY: {
    description: 'Directory on a local disk for the audit trail and the tasks',
    schema: pathSetting(),
  },
  RATE_LIMIT_PER_MINUTE: {
    description: 'Maximum number of calls per minute for each caller',
    schema: numberSetting(
      (rateLimitPerMinute) => resolveRateLimitOptions({ rateLimitPerMinute }).rateLimitPerMinute,
    ),
  },
  TERMINATION_GRACE_MS: {
    description:
      'Milliseconds that the platform waits between SIGTERM and killing the server, which stops by itself 2000 ms earlier',
    schema: numberSetting(
      (terminationGraceMs) => resolveShutdownOptions({ terminationGraceMs }).terminationGraceMs,
    ),
  },
  ...auditSettings,
} satisfies Settings;

/** The settings of `openAuthentication`; spread them into your own. */
export const authenticationSettings = {
  AUTH_ISSUER: {
    description: 'URL of the identity provider whose access tokens are accepted',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }),
  },
  AUTH_AUDIENCE: {
    description: 'Public URL of this server, for which a token must have been issued',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }),
  },
  AUTH_ALGORITHMS: {
    description: 'Signature algorithms that a token may use, separated by commas',
    schema: listSetting(wordEntry).prefault('RS256'),
  },
  AUTH_TOKEN_TYPE: {
    description:
      'Type that a JWT must have: at+jwt (RFC 9068), or jwt for an issuer that only signs such, or none',
    schema: choiceSetting(['at+jwt', 'jwt'], 'at+jwt'),
  },
  AUTH_JWKS_URL: {
    description: "Where AUTH_ISSUER publishes its keys. Without it, the issuer's metadata says so",
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }).optional(),
  },
  AUTH_ALLOW_EXTRA_AUDIENCES: {
    description:
      'Accept tokens that are valid at other servers too, each of which can then act as the user here',
    schema: booleanSetting(false),
  },
  AUTH_GROUPS_CLAIM: {
    description:
      'Claim of the token that names groups, such as groups or realm_access.roles. Without it, DIRECTORY_FILE does',
    schema: z.string().min(1).optional(),
  },
  AUTH_MISSING_SUBJECT: {
    description:
      "What a token without sub is: refuse, or service for an issuer that leaves it out of clients' own tokens",
    schema: choiceSetting(['refuse', 'service'], 'refuse'),
  },
  AUTH_INTROSPECTION_URL: {
    description:
      'Introspection endpoint (RFC 7662) of AUTH_ISSUER, for opaque tokens. Without it, only JWTs are accepted',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }).optional(),
  },
  AUTH_INTROSPECTION_CLIENT_ID: {
    description: 'Client id with which this server signs in at AUTH_INTROSPECTION_URL',
    schema: z.string().min(1).optional(),
  },
  AUTH_INTROSPECTION_CLIENT_SECRET: {
    description: 'Client secret with which this server signs in at AUTH_INTROSPECTION_URL',
    schema: z.string().min(1).optional(),
    secret: true,
  },
  POLICY_FILE: {
    description: 'YAML or JSON file with the policy: who may do what',
    schema: pathSetting(),
  },
  DIRECTORY_FILE: {
    description:
      'YAML or JSON file with the users and their groups, read again when it changes, or with the LDAP directory that knows them',
    schema: pathSetting(),
  },
  DIRECTORY_PASSWORD: {
    description: 'Password of the LDAP account that DIRECTORY_FILE names',
    schema: z.string().min(1).optional(),
    secret: true,
  },
} satisfies Settings;
