import type { Claims } from '../claims/claim-path.ts';
import type { GroupClaimOptions } from '../claims/group-claim.ts';
import type { TokenRules } from '../claims/token-rules.ts';
import type { Provider } from '../provider-names.ts';
import { rulesOf } from './provider.ts';
import type { ProviderContext } from './provider.ts';

/**
 * How an issuer's access tokens are told from its other tokens, and read. `provider` sets every rule; each can be set
 * alone too, and then counts instead of the provider's.
 */
export interface TokenRuleOptions {
  /** Whose tokens they are. @default 'generic', which follows RFC 9068 */
  readonly provider?: Provider | undefined;
  /**
   * The `typ` a token must have. `JWT` is for issuers that cannot do RFC 9068: then a token may also have none (RFC 7519
   * §5.1). `either` takes all of these. Without `at+jwt` the claims must show an access token. @default the provider's
   */
  readonly tokenType?: 'at+jwt' | 'JWT' | 'either' | undefined;
  /**
   * Whether the claims, whose signature is good, show an access token where `typ` does not. What shows another kind of
   * token is refused before. @default the provider's; `generic` wants a claim that ID tokens do not have, such as `client_id` or `scope`
   */
  readonly isAccessToken?: ((claims: Claims) => boolean) | undefined;
  /** Whether a client got the token for itself. @default the provider's; `generic` knows those of all providers */
  readonly isService?: ((claims: Claims) => boolean) | undefined;
  /** The claim with the name of a person, which nobody else ever gets. @default the provider's: `sub`, Entra ID `oid`, Okta `uid` */
  readonly subjectClaim?: string | undefined;
  /**
   * What a token without `sub` is: `service` for issuers that leave it out for client credentials, and never do for
   * users; its client is then the subject, and a token with marks of a person is still refused.
   * @default the provider's: 'refuse', IdentityServer 'service'
   */
  readonly missingSubject?: 'refuse' | 'service' | undefined;
  /** Accept tokens that are valid at other servers too: each of those can then act as the user here. @default false */
  readonly allowExtraAudiences?: boolean | undefined;
  /** Audiences that may stand beside ours, letter by letter. @default the provider's: Keycloak `account`, Auth0 its userinfo */
  readonly toleratedAudiences?: readonly string[] | undefined;
  /**
   * What a token without `aud` is: `client-and-scope` takes it from one of `clients` with a scope that begins with
   * `scopePrefix`. @default the provider's: 'refuse', Cognito 'client-and-scope'
   */
  readonly missingAudience?: 'refuse' | 'client-and-scope' | undefined;
  /** The only OAuth clients whose tokens are taken. @default any client of the issuer */
  readonly clients?: readonly string[] | undefined;
  /**
   * Where the scopes are: names of claims, or paths with dots, such as `permissions` or `realm_access.roles`.
   * @default the provider's: `scope` and `scp`, Entra ID `scp`
   */
  readonly scopeClaims?: readonly string[] | undefined;
  /** The same, in a token that a client got for itself. @default `scopeClaims`, or the provider's: Entra ID `scp` and `roles` */
  readonly serviceScopeClaims?: readonly string[] | undefined;
  /** What the issuer puts before the policy's names of scopes; it is taken off. @default nothing; Cognito the audience and a slash */
  readonly scopePrefix?: string | undefined;
  /** Takes groups from the token: for an issuer that is trusted with it. @default groups come from the directory */
  readonly groups?: GroupClaimOptions | undefined;
}

const TOKEN_TYPES = ['at+jwt', 'JWT', 'either'] as const;
const MISSING_SUBJECTS = ['refuse', 'service'] as const;
const MISSING_AUDIENCES = ['refuse', 'client-and-scope'] as const;

/**
 * The provider's rules with those that are set alone.
 * @throws {TypeError} naming the option
 */
export function resolveTokenRules(options: TokenRuleOptions, context: ProviderContext): TokenRules {
  const preset = rulesOf(options.provider ?? 'generic', context);
  const { tokenType, missingSubject, missingAudience, clients, scopeClaims } = options;
  checkWord('tokenType', tokenType, TOKEN_TYPES);
  checkWord('missingSubject', missingSubject, MISSING_SUBJECTS);
  checkWord('missingAudience', missingAudience, MISSING_AUDIENCES);
  checkTexts('toleratedAudiences', options.toleratedAudiences);
  checkTexts('clients', clients);
  checkTexts('scopeClaims', scopeClaims);
  checkTexts('serviceScopeClaims', options.serviceScopeClaims);
  for (const name of ['subjectClaim', 'scopePrefix'] as const) {
    checkTexts(name, options[name] === undefined ? undefined : [options[name]]);
  }
  const rules: TokenRules = {
    tokenType: tokenType ?? preset.tokenType,
    isAccessToken: options.isAccessToken ?? preset.isAccessToken,
    isService: options.isService ?? preset.isService,
    subjectClaim: options.subjectClaim ?? preset.subjectClaim,
    serviceSubjectClaim: preset.serviceSubjectClaim,
    missingSubject: missingSubject ?? preset.missingSubject,
    allowExtraAudiences: options.allowExtraAudiences ?? preset.allowExtraAudiences,
    toleratedAudiences: options.toleratedAudiences ?? preset.toleratedAudiences,
    missingAudience: missingAudience ?? preset.missingAudience,
    clients: clients === undefined ? preset.clients : new Set(clients),
    scopeClaims: scopeClaims ?? preset.scopeClaims,
    serviceScopeClaims: options.serviceScopeClaims ?? scopeClaims ?? preset.serviceScopeClaims,
    scopePrefix: options.scopePrefix ?? preset.scopePrefix,
    groups: options.groups ?? preset.groups,
  };
  if (
    missingAudience === 'client-and-scope' &&
    (rules.clients === undefined || rules.scopePrefix === undefined)
  ) {
    throw new TypeError('missingAudience: client-and-scope needs clients and scopePrefix');
  }
  return rules;
}

function checkWord(name: string, value: string | undefined, words: readonly string[]): void {
  if (value !== undefined && !words.includes(value)) {
    const listed = words.map((word) => `"${word}"`).join(' or ');
    throw new TypeError(`${name} must be ${listed}, got ${JSON.stringify(value)}`);
  }
}

function checkTexts(name: string, values: unknown): void {
  const isList = Array.isArray(values) && values.every((value) => typeof value === 'string' && value !== '');
  if (values !== undefined && !isList) {
    throw new TypeError(`${name} must hold texts that are not empty, got ${JSON.stringify(values)}`);
  }
}
