import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';

import { untilAborted } from '../abort.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import type { ProveConfirmation } from '../possession/confirmation.ts';
import { canonicalResource, secureUrl } from '../secure-url.ts';
import { checkAudience } from './audience.ts';
import type { GroupClaimOptions } from './group-claim.ts';
import { createKeySource } from './key-source.ts';
import { identityFromClaims } from './principal.ts';
import type { Principal, TokenIdentity } from './principal.ts';

/** Longer tokens are refused unread. */
export const MAX_TOKEN_LENGTH = 8 * 1024;

const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/;

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
  /** Allowed difference between the clocks, 0 to 60 seconds. @default 10 */
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

/** What a verifier is told beside the token. */
export interface VerifyOptions {
  readonly signal: AbortSignal;
  /** Checks the key of a token that is bound to one. @default such a token is refused */
  readonly prove?: ProveConfirmation | undefined;
}

/** Turns the text of a token into a principal, or refuses it. */
export interface TokenVerifier {
  /** Whose tokens it takes. */
  readonly issuers: readonly string[];
  /** @throws AuthError `invalid_token`, or `unavailable` when the issuer cannot be asked; what `prove` throws; the signal's reason */
  readonly verify: (token: string, options: VerifyOptions) => Promise<Principal>;
  /** Ends requests to the issuer that are in flight. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Verifies JWT access tokens of one issuer (RFC 9068): signature, issuer, audience, type, times. Keys are
 * loaded on first use, refreshed in the background, and serve at most one hour of an outage of the issuer.
 * @throws TypeError or RangeError naming the option
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const settings = checkOptions(options);
  const keys = createKeySource(settings);
  const close = async (): Promise<void> => keys.close();

  return {
    issuers: [settings.issuer],
    async verify(token, { signal, prove }) {
      signal.throwIfAborted();
      if (token.length > MAX_TOKEN_LENGTH) throw tokenRefused('longer than 8 KiB');
      const at = settings.now();
      let claims: JWTPayload;
      try {
        const verified = jwtVerify(token, keys.keyFor, {
          issuer: settings.issuer,
          algorithms: settings.algorithms,
          typ: settings.tokenType,
          clockTolerance: settings.clockToleranceSeconds,
          currentDate: new Date(at),
          requiredClaims: ['iss', 'aud', 'exp', 'sub'],
        });
        claims = (await untilAborted(verified, signal)).payload;
      } catch (error) {
        if (signal.aborted || isAuthError(error)) throw error;
        throw verificationError(error);
      }
      checkAudience(claims.aud, settings);
      // jose looks at `iat` only together with a maximum age.
      if (claims.iat !== undefined && claims.iat > at / 1000 + settings.clockToleranceSeconds) {
        throw tokenRefused('issued in the future');
      }
      return provenPrincipal(identityFromClaims(claims, settings), prove);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function checkOptions(options: TokenVerifierOptions) {
  const { issuer, audience, algorithms, clockToleranceSeconds = 10, tokenType = 'at+jwt' } = options;
  if (typeof issuer !== 'string' || issuer === '') throw new TypeError('issuer is required');
  if (typeof audience !== 'string' || audience === '') throw new TypeError('audience is required');
  if (!Array.isArray(algorithms) || algorithms.length === 0) throw new TypeError('algorithms is required');
  // A fragment would make `issuer#subject` ambiguous. RFC 8414 §2 forbids both.
  if (/[?#]/.test(issuer)) throw new TypeError(`issuer must have no query or fragment, got ${issuer}`);
  secureUrl(issuer, 'issuer');
  for (const algorithm of algorithms) {
    if (!ASYMMETRIC.test(algorithm)) {
      throw new TypeError(
        `algorithms must be asymmetric signature algorithms, got ${JSON.stringify(algorithm)}`,
      );
    }
  }
  if (tokenType !== 'at+jwt' && tokenType !== 'JWT') {
    throw new TypeError(`tokenType must be "at+jwt" or "JWT", got ${JSON.stringify(tokenType)}`);
  }
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 60)) {
    throw new RangeError(`clockToleranceSeconds must be 0 to 60, got ${clockToleranceSeconds}`);
  }
  return {
    issuer,
    audience: canonicalResource(audience),
    algorithms: [...algorithms],
    clockToleranceSeconds,
    tokenType,
    allowExtraAudiences: options.allowExtraAudiences ?? false,
    ...(options.groups !== undefined && { groups: options.groups }),
    now: options.now ?? (() => Date.now()),
    ...(options.jwksUrl !== undefined && { jwksUrl: secureUrl(options.jwksUrl, 'jwksUrl') }),
  };
}

/** The principal of a token, once its sender has proved the key that it is bound to. */
export async function provenPrincipal(
  { principal, confirmation }: TokenIdentity,
  prove: ProveConfirmation | undefined,
): Promise<Principal> {
  if (confirmation === undefined) return principal;
  if (prove === undefined) throw tokenRefused('bound to a key that nothing here can check');
  await prove(confirmation);
  return principal;
}

/** Only jose's code and the claim's name are kept: its messages and its `payload` hold what the sender wrote. */
function verificationError(error: unknown): AuthError {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return tokenRefused(`${error.code} ${error.claim}`);
  }
  if (error instanceof errors.JOSEError) return tokenRefused(error.code);
  // Not the token's fault as far as we can tell, for example a key that this machine cannot use.
  const name = error instanceof Error ? error.name : typeof error;
  return new AuthError('unavailable', { message: `verification failed: ${name}`, retryAfterMs: 5_000 });
}
