import {
  clientOf,
  isPersonal,
  isServiceToken,
  looksLikeAccessToken,
  saysAccessToken,
} from '../claims/token-kind.ts';
import type { TokenRules } from '../claims/token-rules.ts';
import { PROVIDERS, type Provider } from '../provider-names.ts';
import { checkEntra, isEntraAccessToken, isEntraService, tenantOf } from './entra.ts';

/** Whose tokens, and for whom. */
export interface ProviderContext {
  readonly issuer: string;
  readonly audience: string;
}

/** @throws {TypeError} when the provider can have no such issuer or audience */
type Preset = (context: ProviderContext) => TokenRules;

const generic: TokenRules = {
  tokenType: 'at+jwt',
  isAccessToken: looksLikeAccessToken,
  isService: isServiceToken,
  subjectClaim: 'sub',
  serviceSubjectClaim: 'sub',
  missingSubject: 'refuse',
  allowExtraAudiences: false,
  toleratedAudiences: [],
  missingAudience: 'refuse',
  clients: undefined,
  scopeClaims: ['scope', 'scp'],
  serviceScopeClaims: ['scope', 'scp'],
  scopePrefix: undefined,
  groups: undefined,
};

const identityServer: Preset = () => ({
  ...generic,
  tokenType: 'either',
  isAccessToken: (claims) => claims['client_id'] !== undefined,
  // Only tokens for client credentials have no subject.
  missingSubject: 'service',
});

/** What each of them documents of its access tokens; see docs/identity-providers.md. */
const PRESETS: Readonly<Record<Provider, Preset>> = {
  generic: () => generic,
  keycloak: () => ({
    ...generic,
    tokenType: 'either',
    // `typ` is `Bearer`, `ID`, `Refresh`: in the claims whatever the header says, and when it introspects.
    isAccessToken: saysAccessToken,
    // It adds this one for people who have roles there.
    toleratedAudiences: ['account'],
  }),
  entra: (context) => {
    checkEntra(context);
    const tenant = tenantOf(context.issuer);
    return {
      ...generic,
      tokenType: 'JWT',
      isAccessToken: (claims) => isEntraAccessToken(claims, tenant),
      isService: isEntraService,
      // A person's `sub` is another for each application; an application's is its `oid`.
      subjectClaim: 'oid',
      // What people let a client do, and what an administrator let an application do.
      scopeClaims: ['scp'],
      serviceScopeClaims: ['scp', 'roles'],
    };
  },
  okta: ({ issuer }) => {
    const { hostname, pathname } = new URL(issuer);
    if (/\.okta(?:preview|-emea|-gov)?\.(?:com|mil)$/.test(hostname) && !pathname.startsWith('/oauth2/')) {
      throw new TypeError(
        'issuer must be a custom authorization server of Okta, such as https://example.okta.com/oauth2/default: the keys of the other are not published',
      );
    }
    return {
      ...generic,
      tokenType: 'either',
      // Introspection says `client_id`, and `token_type` beside it.
      isAccessToken: (claims) =>
        (claims['cid'] !== undefined || (claims['client_id'] !== undefined && saysAccessToken(claims))) &&
        !(typeof claims['jti'] === 'string' && /^(?:ID|RT)\./.test(claims['jti'])),
      isService: (claims) => claims['uid'] === undefined || isServiceToken(claims),
      // `sub` is what an administrator defines it to be, by default a name that may change hands.
      subjectClaim: 'uid',
      serviceSubjectClaim: undefined,
    };
  },
  auth0: ({ issuer }) => {
    if (new URL(issuer).hostname.endsWith('.auth0.com') && !issuer.endsWith('/')) {
      throw new TypeError(
        `issuer must end in a slash, as Auth0's tokens spell it, got ${JSON.stringify(issuer)}`,
      );
    }
    return {
      ...generic,
      tokenType: 'either',
      // The audience of an ID token is its client.
      isAccessToken: (claims) => clientOf(claims) !== undefined && claims['aud'] !== clientOf(claims),
      // It adds this one where `openid` was asked for.
      toleratedAudiences: [`${issuer}userinfo`],
    };
  },
  cognito: ({ audience }) => ({
    ...generic,
    tokenType: 'JWT',
    isAccessToken: (claims) => claims['token_use'] === 'access',
    isService: (claims) => claims['username'] === undefined || isServiceToken(claims),
    missingAudience: 'client-and-scope',
    scopePrefix: `${audience}/`,
  }),
  'ping-federate': () => ({
    ...generic,
    tokenType: 'either',
    isAccessToken: (claims) => claims['client_id'] !== undefined,
  }),
  'identity-server': identityServer,
  duende: identityServer,
  'ad-fs': () => ({
    ...generic,
    tokenType: 'JWT',
    isAccessToken: (claims) => claims['appid'] !== undefined,
    isService: (claims) =>
      isServiceToken(claims) || (claims['apptype'] === 'Confidential' && !isPersonal(claims)),
  }),
};

/**
 * How the tokens of a provider are told apart and read.
 * @throws {TypeError} naming the option
 */
export function rulesOf(provider: Provider, context: ProviderContext): TokenRules {
  if (!PROVIDERS.includes(provider)) {
    throw new TypeError(`provider must be one of ${PROVIDERS.join(', ')}, got ${JSON.stringify(provider)}`);
  }
  return PRESETS[provider](context);
}
