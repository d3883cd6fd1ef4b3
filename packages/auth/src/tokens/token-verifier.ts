import { errors } from 'jose';
import type { JWTPayload } from 'jose';

import { untilAborted } from '../abort.ts';
import { checkWhole } from '../check-number.ts';
import { checkAudience } from '../claims/audience.ts';
import type { TokenRules } from '../claims/token-rules.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import type { FactAges } from '../facts/fact-age.ts';
import type { ProveConfirmation } from '../possession/confirmation.ts';
import { isCanonicalJws } from '../possession/jws-form.ts';
import { resolveTokenRules } from '../providers/token-rule-options.ts';
import type { TokenRuleOptions } from '../providers/token-rule-options.ts';
import { checkAudienceUri, checkIssuer, checkIssuerName, secureUrl } from '../secure-url.ts';
import { checkAlgorithms } from '../signature-algorithms.ts';
import { createKeySource } from './key-source.ts';
import { identityFromClaims } from './principal.ts';
import type { Principal, TokenIdentity } from './principal.ts';
import { verifySignature } from './signature.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** Longer tokens are refused unread. Entra ID's with the most groups that it puts into one have 11,160 characters. */
const MAX_TOKEN_LENGTH = 32 * 1024;

/** @throws {AuthError} `invalid_token` when the token is longer than any issuer makes it */
export function checkTokenLength(token: string): void {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw tokenRefused('longer than 32 KiB');
  }
}

/** What makes a token one for this server. The first three have no default on purpose. */
export interface TokenVerifierOptions extends TokenRuleOptions {
  /**
   * The authorization server, exactly as its tokens spell `iss`: https (http on loopback, and where `jwksUrl` says where
   * the keys are), one tenant's, no query or fragment.
   */
  readonly issuer: string;
  /**
   * The `aud` a token must have: this server's resource URI, or what the issuer calls it. Of a URI, case of the host, the
   * default port and a trailing slash do not matter; everything else does.
   */
  readonly audience: string;
  /** Accepted signature algorithms, asymmetric only: RS/PS/ES 256-512, EdDSA, Ed25519. */
  readonly algorithms: readonly string[];
  /** Where the issuer publishes its keys. @default `jwks_uri` of the issuer's metadata (RFC 8414, then OIDC) */
  readonly jwksUrl?: string | undefined;
  /** Allowed difference between the clocks, in whole seconds, 0 to 60. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

interface ResolvedTokenVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly jwksUrl: URL | undefined;
  readonly clockToleranceSeconds: number;
  readonly rules: TokenRules;
  readonly now: () => number;
}

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
function resolveTokenVerifierOptions(options: TokenVerifierOptions): ResolvedTokenVerifierOptions {
  const { clockToleranceSeconds = 10, jwksUrl } = options;
  checkWhole('clockToleranceSeconds', clockToleranceSeconds, 0, 60);
  const issuer = (jwksUrl === undefined ? checkIssuer : checkIssuerName)(options.issuer, 'issuer');
  const audience = checkAudienceUri(options.audience, 'audience');
  return {
    issuer,
    audience,
    algorithms: checkAlgorithms(options.algorithms, 'algorithms'),
    jwksUrl: jwksUrl === undefined ? undefined : secureUrl(jwksUrl, 'jwksUrl'),
    clockToleranceSeconds,
    rules: resolveTokenRules(options, { issuer, audience }),
    now: options.now ?? (() => Date.now()),
  };
}

/** What a verifier is told beside the token. */
export interface VerifyOptions {
  /** Ends the wait; a look-up that others share goes on. */
  readonly signal: AbortSignal;
  /** Checks the key of a token that is bound to one. @default such a token is refused */
  readonly prove?: ProveConfirmation | undefined;
  /** Where the request comes from, such as its address: one source cannot take the places of others. @default not known */
  readonly source?: string | undefined;
}

/** Turns the text of a token into a principal, or refuses it. */
export interface TokenVerifier {
  /** Whose tokens it takes. */
  readonly issuers: readonly string[];
  /** Those of them whose tokens name the groups of users. @default none */
  readonly groupIssuers?: readonly string[] | undefined;
  /**
   * Makes sure that what it verifies tokens of this issuer by is known to be so, for what must not rest on older facts:
   * keys are loaded again when they are older than 10 minutes.
   * @throws {AuthError} `unavailable`; the signal's reason
   * @default it is never old
   */
  readonly confirm?:
    | ((issuer: string, options: { readonly signal: AbortSignal }) => Promise<void>)
    | undefined;
  /** How old what it verifies by is. @default not known */
  readonly ages?: FactAges | undefined;
  /**
   * @throws {AuthError} `invalid_token`, or `unavailable` when the issuer cannot be asked; what `prove` throws; the
   * signal's reason
   */
  readonly verify: (token: string, options: VerifyOptions) => Promise<Principal>;
  /** Ends requests to the issuer that are in flight. */
  readonly close: () => Promise<void>;
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Verifies JWT access tokens of one issuer (RFC 9068): signature, issuer, audience, type, times. Keys are
 * loaded on first use, refreshed in the background, and serve at most one hour of an outage of the issuer. What a
 * signature was found to vouch for is remembered for 30 seconds, as long as the same keys serve; the end of the token and
 * the key that it is bound to are checked each time.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const resolved = resolveTokenVerifierOptions(options);
  const { rules, issuer, audience, clockToleranceSeconds } = resolved;
  const keys = createKeySource(resolved);
  const verifiedTokens = createVerifiedTokens(resolved);
  const close = async (): Promise<void> => keys.close();
  const conditions = {
    issuer,
    algorithms: [...resolved.algorithms],
    ...(rules.tokenType === 'at+jwt' && { typ: 'at+jwt' }),
    clockTolerance: clockToleranceSeconds,
    requiredClaims: requiredClaims(rules),
  };

  return {
    issuers: [issuer],
    groupIssuers: rules.groups === undefined ? [] : [issuer],
    confirm: (_, { signal }) => keys.confirm(signal),
    ages: keys.ages,
    async verify(token, { signal, prove }) {
      signal.throwIfAborted();
      checkTokenLength(token);
      const keysLoadedAt = keys.currentSince();
      const known = verifiedTokens.find(token, keysLoadedAt);
      if (known !== undefined) {
        return provenPrincipal(known, prove);
      }
      if (!isCanonicalJws(token)) {
        throw tokenRefused('ERR_JWS_INVALID');
      }
      const at = resolved.now();
      let claims: JWTPayload;
      let isTyped: boolean;
      try {
        const verified = verifySignature(token, keys, { ...conditions, currentDate: new Date(at) });
        const { payload, protectedHeader } = await untilAborted(verified, signal);
        claims = payload;
        isTyped = checkType(protectedHeader.typ, rules.tokenType);
      } catch (error) {
        if (signal.aborted || isAuthError(error)) {
          throw error;
        }
        throw verificationError(error);
      }
      checkAudience(claims, audience, rules);
      // jose looks at `iat` only together with a maximum age.
      if (claims.iat !== undefined && claims.iat > at / 1000 + clockToleranceSeconds) {
        throw tokenRefused('issued in the future');
      }
      const identity = identityFromClaims(claims, rules, { isTyped });
      // The keys of before: if others came meanwhile, nobody knows which of them it was.
      verifiedTokens.keep(token, identity, at, keysLoadedAt);
      return provenPrincipal(identity, prove);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function requiredClaims({ missingAudience, missingSubject, subjectClaim }: TokenRules): string[] {
  const needsSubject = missingSubject === 'refuse' && subjectClaim === 'sub';
  return ['iss', 'exp', ...(missingAudience === 'refuse' ? ['aud'] : []), ...(needsSubject ? ['sub'] : [])];
}

/**
 * The principal of a token, once its sender has proved the key that it is bound to.
 * @throws {AuthError} `invalid_token` when it is bound and nothing can check that; what `prove` throws
 */
export async function provenPrincipal(
  { principal, confirmation }: TokenIdentity,
  prove: ProveConfirmation | undefined,
): Promise<Principal> {
  if (confirmation === undefined) {
    return principal;
  }
  if (prove === undefined) {
    throw tokenRefused('bound to a key that nothing here can check');
  }
  await prove(confirmation, principal.id);
  return principal;
}

/**
 * RFC 7519 §5.1: `JWT` may be left out. Anything else tells that the issuer made the token for another purpose.
 * @returns whether the type shows an access token
 * @throws {AuthError} `invalid_token`
 */
function checkType(typ: unknown, expected: TokenRules['tokenType']): boolean {
  const isTyped = typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
  const isPlain = typ === undefined || (typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ));
  if (expected === 'JWT' ? !isPlain : expected === 'either' && !isPlain && !isTyped) {
    throw tokenRefused('ERR_JWT_CLAIM_VALIDATION_FAILED typ');
  }
  return isTyped;
}

/** Only jose's code and the claim's name are kept: its messages and its `payload` hold what the sender wrote. */
function verificationError(error: unknown): AuthError {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return tokenRefused(`${error.code} ${error.claim}`);
  }
  if (error instanceof errors.JOSEError) {
    return tokenRefused(error.code);
  }
  // Not the token's fault as far as we can tell, for example a key that this machine cannot use.
  const name = error instanceof Error ? error.name : typeof error;
  return new AuthError('unavailable', { message: `verification failed: ${name}`, retryAfterMs: 5_000 });
}
