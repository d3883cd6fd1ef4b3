import {
  createIntrospectionVerifier,
  createTokenRouter,
  createTokenVerifier,
  loadIssuers,
  type IssuerEntry,
  type TokenRuleOptions,
  type TokenVerifier,
  type TokenVerifierOptions,
} from '@mcp-parts/auth';

import type { SettingValues } from '../settings.ts';
import type { tokenSettings } from '../token-settings.ts';

type TokenSettings = SettingValues<typeof tokenSettings>;

/** Which setting an option comes from. */
const SETTING_OF: Readonly<Record<string, keyof TokenSettings>> = {
  issuer: 'AUTH_ISSUER',
  provider: 'AUTH_PROVIDER',
  audience: 'AUTH_AUDIENCE',
  algorithms: 'AUTH_ALGORITHMS',
  jwksUrl: 'AUTH_JWKS_URL',
  missingAudience: 'AUTH_MISSING_AUDIENCE',
  introspectionUrl: 'AUTH_INTROSPECTION_URL',
};

/** Verifies the tokens that the settings accept, and who issues them. */
export interface TokenVerification {
  readonly verifier: TokenVerifier;
  /** Where clients find the issuers. */
  readonly authorizationServers: readonly string[];
  /** What clients put before the names of scopes when they ask `AUTH_ISSUER` for them. */
  readonly scopePrefix: string | undefined;
}

/** What is wrong with settings that are right one by one. */
export function checkTokenSettings(settings: TokenSettings): readonly string[] {
  const problems: string[] = [];
  const introspection = [
    settings.AUTH_INTROSPECTION_URL,
    settings.AUTH_INTROSPECTION_CLIENT_ID,
    settings.AUTH_INTROSPECTION_CLIENT_SECRET,
  ];
  const given = introspection.filter((value) => value !== undefined).length;
  if (given !== 0 && given !== introspection.length) {
    problems.push(
      'AUTH_INTROSPECTION_URL, _CLIENT_ID and _CLIENT_SECRET need each other: set all three or none',
    );
  }
  if (settings.AUTH_INTROSPECT_JWTS && given === 0) {
    problems.push('AUTH_INTROSPECTION_URL is required, because AUTH_INTROSPECT_JWTS asks there');
  }
  if (settings.AUTH_RESOURCE === undefined && !/^https?:\/\//iu.test(settings.AUTH_AUDIENCE)) {
    problems.push('AUTH_RESOURCE is required, because AUTH_AUDIENCE is not the URL of this server');
  }
  if (settings.AUTH_GROUP_NAMES !== undefined && settings.AUTH_GROUPS_CLAIM === undefined) {
    problems.push('AUTH_GROUPS_CLAIM is required, because AUTH_GROUP_NAMES is about its groups');
  }
  const needsClients = settings.AUTH_PROVIDER === 'cognito' && settings.AUTH_MISSING_AUDIENCE === undefined;
  if (settings.AUTH_CLIENTS === undefined && needsClients) {
    problems.push('AUTH_CLIENTS is required, because tokens of Cognito name no audience');
    return problems;
  }
  try {
    // Nothing is opened or asked before the first token.
    mainVerifiers(settings);
  } catch (error) {
    if (!(error instanceof TypeError)) {
      throw error;
    }
    const [, option = ''] = /^(\w+)/u.exec(error.message) ?? [];
    const setting = SETTING_OF[option];
    problems.push(
      setting === undefined ? `AUTH_*: ${error.message}` : error.message.replace(option, setting),
    );
  }
  return problems;
}

/**
 * Makes the verifier of all issuers.
 *
 * @throws {TypeError} naming the file or setting, and the problem.
 */
export async function openTokenVerification(settings: TokenSettings): Promise<TokenVerification> {
  const { jwt, opaque } = mainVerifiers(settings);
  const file = settings.AUTH_ISSUERS_FILE;
  const more: readonly IssuerEntry[] =
    file === undefined ? [] : await loadIssuers(file, { audience: settings.AUTH_AUDIENCE });
  const main = settings.AUTH_INTROSPECT_JWTS && opaque !== undefined ? opaque : jwt;
  const verifiers = [main, ...more.map(({ verifier }) => createTokenVerifier(verifier))];
  return {
    verifier:
      opaque === undefined && more.length === 0 ? main : createTokenRouter({ jwt: verifiers, opaque }),
    authorizationServers: [
      settings.AUTH_AUTHORIZATION_SERVER ?? settings.AUTH_ISSUER,
      ...more.map(({ authorizationServer }) => authorizationServer),
    ],
    scopePrefix: settings.AUTH_SCOPE_PREFIX ?? scopePrefixOf(settings),
  };
}

/** Both know scopes by the resource that they belong to, though the tokens of Entra ID have them without it. */
function scopePrefixOf(settings: TokenSettings): string | undefined {
  const { AUTH_PROVIDER: provider, AUTH_AUDIENCE: audience, AUTH_RESOURCE: resource = audience } = settings;
  if (provider === 'cognito') {
    return `${audience}/`;
  }
  return provider === 'entra' ? `${resource}/` : undefined;
}

function mainVerifiers(settings: TokenSettings): {
  readonly jwt: TokenVerifier;
  readonly opaque: TokenVerifier | undefined;
} {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = settings;
  const rules = rulesOf(settings);
  const jwt = createTokenVerifier({
    ...rules,
    issuer,
    audience,
    algorithms: settings.AUTH_ALGORITHMS,
    jwksUrl: settings.AUTH_JWKS_URL,
    tokenType: typeOf(settings.AUTH_TOKEN_TYPE),
  });
  const introspectionUrl = settings.AUTH_INTROSPECTION_URL;
  const id = settings.AUTH_INTROSPECTION_CLIENT_ID;
  const secret = settings.AUTH_INTROSPECTION_CLIENT_SECRET;
  if (introspectionUrl === undefined || id === undefined || secret === undefined) {
    return { jwt, opaque: undefined };
  }
  const client = { id, secret, method: settings.AUTH_INTROSPECTION_CLIENT_AUTH };
  return {
    jwt,
    opaque: createIntrospectionVerifier({ ...rules, issuer, audience, introspectionUrl, client }),
  };
}

function rulesOf(settings: TokenSettings): TokenRuleOptions {
  const claim = settings.AUTH_GROUPS_CLAIM;
  const pairs = settings.AUTH_GROUP_NAMES?.map((pair) => pair.split('='));
  return {
    provider: settings.AUTH_PROVIDER,
    // Off is no rule of its own: the provider's then counts.
    allowExtraAudiences: settings.AUTH_ALLOW_EXTRA_AUDIENCES || undefined,
    toleratedAudiences: settings.AUTH_TOLERATED_AUDIENCES,
    clients: settings.AUTH_CLIENTS,
    missingAudience: settings.AUTH_MISSING_AUDIENCE,
    subjectClaim: settings.AUTH_SUBJECT_CLAIM,
    missingSubject: settings.AUTH_MISSING_SUBJECT,
    scopeClaims: settings.AUTH_SCOPE_CLAIMS,
    serviceScopeClaims: settings.AUTH_SERVICE_SCOPE_CLAIMS,
    scopePrefix: settings.AUTH_SCOPE_PREFIX,
    groups: claim === undefined ? undefined : { claim, names: pairs && Object.fromEntries(pairs) },
  };
}

function typeOf(type: TokenSettings['AUTH_TOKEN_TYPE']): TokenVerifierOptions['tokenType'] {
  return type === 'jwt' ? 'JWT' : type;
}
