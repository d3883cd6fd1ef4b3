import { PROVIDERS } from '@mcp-parts/auth/provider-names';
import { z } from 'zod';

import { booleanSetting, choiceSetting, optionalChoiceSetting } from './kinds/choice-setting.ts';
import { listSetting, pairEntry, wordEntry } from './kinds/list-setting.ts';
import { pathSetting } from './kinds/path-setting.ts';
import type { Settings } from './settings.ts';

const url = () => z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' });

/** Which access tokens are accepted, and how they are read. docs/identity-providers.md has those of each provider. */
export const tokenSettings = {
  AUTH_ISSUER: {
    description:
      'URL of the identity provider whose access tokens are accepted, exactly as its tokens spell it',
    schema: url(),
  },
  AUTH_PROVIDER: {
    description: `Which identity provider AUTH_ISSUER is, which sets the rules for its tokens: ${PROVIDERS.join(', ')}`,
    schema: choiceSetting(PROVIDERS, 'generic'),
  },
  AUTH_AUDIENCE: {
    description:
      'What a token must name as its audience: the public URL of this server, or what AUTH_ISSUER calls it',
    schema: z.string().min(1),
  },
  AUTH_RESOURCE: {
    description: 'Public URL of this server, where AUTH_AUDIENCE is not that',
    schema: url().optional(),
  },
  AUTH_AUTHORIZATION_SERVER: {
    description:
      'URL at which clients find the identity provider, where its tokens spell another AUTH_ISSUER',
    schema: url().optional(),
  },
  AUTH_ISSUERS_FILE: {
    description: 'YAML or JSON file with further identity providers whose tokens are accepted',
    schema: pathSetting().optional(),
  },
  AUTH_SIGN_IN_SCOPES: {
    description:
      'Scopes that clients are told to ask for when they sign in, separated by commas; some never ask for more. Without it, all that the policy knows',
    schema: listSetting(wordEntry).optional(),
  },
  AUTH_ALGORITHMS: {
    description: 'Signature algorithms that a token may use, separated by commas',
    schema: listSetting(wordEntry).prefault('RS256'),
  },
  AUTH_TOKEN_TYPE: {
    description:
      'Type that a JWT must have: at+jwt (RFC 9068), jwt for an issuer that only signs such, or none, or either. Without it, AUTH_PROVIDER says so',
    schema: optionalChoiceSetting(['at+jwt', 'jwt', 'either']),
  },
  AUTH_JWKS_URL: {
    description: "Where AUTH_ISSUER publishes its keys. Without it, the issuer's metadata says so",
    schema: url().optional(),
  },
  AUTH_ALLOW_EXTRA_AUDIENCES: {
    description:
      'Accept tokens that are valid at other servers too, each of which can then act as the user here',
    schema: booleanSetting(false),
  },
  AUTH_TOLERATED_AUDIENCES: {
    description:
      'Audiences that may stand beside AUTH_AUDIENCE, separated by commas. Without it, AUTH_PROVIDER says so',
    schema: listSetting(wordEntry).optional(),
  },
  AUTH_CLIENTS: {
    description:
      'The only OAuth clients whose tokens are accepted, separated by commas. Without it, any of AUTH_ISSUER',
    schema: listSetting(wordEntry).optional(),
  },
  AUTH_MISSING_AUDIENCE: {
    description:
      'What a token without aud is: refuse, or client-and-scope where one of AUTH_CLIENTS and a scope with AUTH_SCOPE_PREFIX stand for it. Without it, AUTH_PROVIDER says so',
    schema: optionalChoiceSetting(['refuse', 'client-and-scope']),
  },
  AUTH_SUBJECT_CLAIM: {
    description:
      'Claim with the lasting name of a person. Without it, AUTH_PROVIDER says so: sub, or oid or uid',
    schema: z.string().min(1).optional(),
  },
  AUTH_MISSING_SUBJECT: {
    description:
      "What a token without sub is: refuse, or service for an issuer that leaves it out of clients' own tokens. Without it, AUTH_PROVIDER says so",
    schema: optionalChoiceSetting(['refuse', 'service']),
  },
  AUTH_SCOPE_CLAIMS: {
    description:
      'Claims with scopes, such as permissions or realm_access.roles, separated by commas. Without it, AUTH_PROVIDER says so',
    schema: listSetting(wordEntry).optional(),
  },
  AUTH_SERVICE_SCOPE_CLAIMS: {
    description: 'The same, for tokens that clients got for themselves',
    schema: listSetting(wordEntry).optional(),
  },
  AUTH_SCOPE_PREFIX: {
    description:
      'What AUTH_ISSUER puts before the names of scopes that POLICY_FILE has: taken off those of tokens, and shown to clients. Without it, AUTH_PROVIDER says so',
    schema: z.string().min(1).optional(),
  },
  AUTH_GROUPS_CLAIM: {
    description:
      'Claim of the token that names groups, such as groups or realm_access.roles. Without it, DIRECTORY_FILE does',
    schema: z.string().min(1).optional(),
  },
  AUTH_GROUP_NAMES: {
    description:
      'What AUTH_GROUPS_CLAIM calls groups and what POLICY_FILE does, as id=name, separated by commas. Others then do not count',
    schema: listSetting(pairEntry).optional(),
  },
  AUTH_INTROSPECTION_URL: {
    description:
      'Introspection endpoint (RFC 7662) of AUTH_ISSUER, for opaque tokens. Without it, only JWTs are accepted',
    schema: url().optional(),
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
  AUTH_INTROSPECTION_CLIENT_AUTH: {
    description:
      'How this server signs in at AUTH_INTROSPECTION_URL: basic, or post with id and secret in the form',
    schema: choiceSetting(['basic', 'post'], 'basic'),
  },
  AUTH_INTROSPECT_JWTS: {
    description:
      'Ask AUTH_INTROSPECTION_URL about JWTs too, for an issuer whose access tokens cannot be told from its ID tokens, or to notice revoked ones within a minute',
    schema: booleanSetting(false),
  },
  AUTH_DPOP_NONCE_SECRET: {
    description:
      'Text of 32 characters or more that replicas share. With it, each DPoP proof must hold a nonce of this server (RFC 9449)',
    schema: z.string().min(32, 'must have 32 characters or more').optional(),
    secret: true,
  },
} satisfies Settings;
