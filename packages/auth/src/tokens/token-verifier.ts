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

/** Longer tokens are refused unread. */
export const MAX_TOKEN_LENGTH = 8 * 1024;

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
  /** The `typ` a token must have. `JWT` is for issuers that cannot do RFC 9068. @default 'at+jwt' */
  readonly tokenType?: 'at+jwt' | 'JWT' | undefined;
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
  checkWhole('clockToleranceSeconds', clockToleranceSeconds, 0, 60);
  return {
    issuer: checkIssuer(options.issuer, 'issuer'),
    audience: checkAudienceUri(options.audience, 'audience'),
    algorithms: checkAlgorithms(options.algorithms, 'algorithms'),
    jwksUrl: jwksUrl === undefined ? undefined : secureUrl(jwksUrl, 'jwksUrl'),
    clockToleranceSeconds,
    tokenType,
    allowExtraAudiences: options.allowExtraAudiences ?? false,
    groups: options.groups,
    now: options.now ?? (() => Date.now()),
  };
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
      if (token.length > MAX_TOKEN_LENGTH) {
        throw tokenRefused('longer than 8 KiB');
      }
      const at = resolved.now();
      let claims: JWTPayload;
      try {
        const verified = jwtVerify(token, keys.keyFor, {
          issuer: resolved.issuer,
          algorithms: [...resolved.algorithms],
          typ: resolved.tokenType,
          clockTolerance: resolved.clockToleranceSeconds,
          currentDate: new Date(at),
          requiredClaims: ['iss', 'aud', 'exp', 'sub'],
        });
        claims = (await untilAborted(verified, signal)).payload;
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
