import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';

import { untilAborted } from '../abort.ts';
import { checkWhole } from '../check-number.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import type { ProveConfirmation } from '../possession/confirmation.ts';
import { checkAudienceUri, checkIssuer, secureUrl } from '../secure-url.ts';
import { checkAlgorithms } from '../signature-algorithms.ts';
import { checkAudience } from './audience.ts';
import type { GroupClaimOptions } from './group-claim.ts';
import { createKeySource } from './key-source.ts';
import { identityFromClaims } from './principal.ts';
import type { Principal, TokenIdentity } from './principal.ts';

/** Longer tokens are refused unread. Entra ID's with the most groups that it puts into one have 11,160 characters. */
const MAX_TOKEN_LENGTH = 32 * 1024;

/** @throws {AuthError} `invalid_token` when the token is longer than any issuer makes it */
export function checkTokenLength(token: string): void {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw tokenRefused('longer than 32 KiB');
  }
}

/** What makes a token one for this server. The first three have no default on purpose. */
export interface TokenVerifierOptions {
  /** The authorization server, exactly as its tokens spell `iss`: https (http on loopback), no query or fragment. */
  readonly issuer: string;
  /** This server's resource URI: the `aud` a token must have. Case of the host and a trailing slash do not matter. */
  readonly audience: string;
  /** Accepted signature algorithms, asymmetric only: RS/PS/ES 256-512, EdDSA, Ed25519. */
  readonly algorithms: readonly string[];
  /** Where the issuer publishes its keys. @default `jwks_uri` of the issuer's metadata (RFC 8414, then OIDC) */
  readonly jwksUrl?: string | undefined;
  /** Allowed difference between the clocks, in whole seconds, 0 to 60. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /**
   * The `typ` a token must have. `JWT` is for issuers that cannot do RFC 9068: then a token may also have none (RFC 7519
   * §5.1), and what its claims show to be an ID or refresh token is refused. @default 'at+jwt'
   */
  readonly tokenType?: 'at+jwt' | 'JWT' | undefined;
  /**
   * What a token without `sub` is: `service` for issuers that leave it out for client credentials, and never do for
   * users; its client is then the subject. @default 'refuse'
   */
  readonly missingSubject?: 'refuse' | 'service' | undefined;
  /** Accept tokens that are valid at other servers too: each of those can then act as the user here. @default false */
  readonly allowExtraAudiences?: boolean | undefined;
  /** Takes groups from the token: for an issuer that is trusted with it. @default groups come from the directory */
  readonly groups?: GroupClaimOptions | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

interface ResolvedTokenVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly jwksUrl: URL | undefined;
  readonly clockToleranceSeconds: number;
  readonly tokenType: 'at+jwt' | 'JWT';
  readonly missingSubject: 'refuse' | 'service';
  readonly allowExtraAudiences: boolean;
  readonly groups: GroupClaimOptions | undefined;
  readonly now: () => number;
}

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
function resolveTokenVerifierOptions(options: TokenVerifierOptions): ResolvedTokenVerifierOptions {
  const { clockToleranceSeconds = 10, tokenType = 'at+jwt', jwksUrl } = options;
  if (tokenType !== 'at+jwt' && tokenType !== 'JWT') {
    throw new TypeError(`tokenType must be "at+jwt" or "JWT", got ${JSON.stringify(tokenType)}`);
  }
  const missingSubject = checkMissingSubject(options.missingSubject);
  checkWhole('clockToleranceSeconds', clockToleranceSeconds, 0, 60);
  return {
    issuer: checkIssuer(options.issuer, 'issuer'),
    audience: checkAudienceUri(options.audience, 'audience'),
    algorithms: checkAlgorithms(options.algorithms, 'algorithms'),
    jwksUrl: jwksUrl === undefined ? undefined : secureUrl(jwksUrl, 'jwksUrl'),
    clockToleranceSeconds,
    tokenType,
    missingSubject,
    allowExtraAudiences: options.allowExtraAudiences ?? false,
    groups: options.groups,
    now: options.now ?? (() => Date.now()),
  };
}

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 */
export function checkMissingSubject(value: 'refuse' | 'service' = 'refuse'): 'refuse' | 'service' {
  if (value !== 'refuse' && value !== 'service') {
    throw new TypeError(`missingSubject must be "refuse" or "service", got ${JSON.stringify(value)}`);
  }
  return value;
}

/** What a verifier is told beside the token. */
export interface VerifyOptions {
  /** Ends the wait; a look-up that others share goes on. */
  readonly signal: AbortSignal;
  /** Checks the key of a token that is bound to one. @default such a token is refused */
  readonly prove?: ProveConfirmation | undefined;
}

/** Turns the text of a token into a principal, or refuses it. */
export interface TokenVerifier {
  /** Whose tokens it takes. */
  readonly issuers: readonly string[];
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
 * loaded on first use, refreshed in the background, and serve at most one hour of an outage of the issuer.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const resolved = resolveTokenVerifierOptions(options);
  const keys = createKeySource(resolved);
  const close = async (): Promise<void> => keys.close();

  return {
    issuers: [resolved.issuer],
    async verify(token, { signal, prove }) {
      signal.throwIfAborted();
      checkTokenLength(token);
      const at = resolved.now();
      let claims: JWTPayload;
      try {
        const verified = jwtVerify(token, keys.keyFor, {
          issuer: resolved.issuer,
          algorithms: [...resolved.algorithms],
          ...(resolved.tokenType === 'at+jwt' && { typ: 'at+jwt' }),
          clockTolerance: resolved.clockToleranceSeconds,
          currentDate: new Date(at),
          requiredClaims: ['iss', 'aud', 'exp', ...(resolved.missingSubject === 'refuse' ? ['sub'] : [])],
        });
        const { payload, protectedHeader } = await untilAborted(verified, signal);
        claims = payload;
        checkType(protectedHeader.typ, resolved.tokenType);
      } catch (error) {
        if (signal.aborted || isAuthError(error)) {
          throw error;
        }
        throw verificationError(error);
      }
      checkAudience(claims.aud, resolved);
      // jose looks at `iat` only together with a maximum age.
      if (claims.iat !== undefined && claims.iat > at / 1000 + resolved.clockToleranceSeconds) {
        throw tokenRefused('issued in the future');
      }
      return provenPrincipal(identityFromClaims(claims, resolved), prove);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
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
  await prove(confirmation);
  return principal;
}

/**
 * RFC 7519 §5.1: `JWT` may be left out. Anything else tells that the issuer made the token for another purpose.
 * @throws {AuthError} `invalid_token`
 */
function checkType(typ: string | undefined, expected: 'at+jwt' | 'JWT'): void {
  if (expected === 'JWT' && typ !== undefined && !/^(application\/)?jwt$/i.test(typ)) {
    throw tokenRefused('ERR_JWT_CLAIM_VALIDATION_FAILED typ');
  }
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
