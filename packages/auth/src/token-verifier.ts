import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';

import { untilAborted } from './abort.ts';
import { AuthError, isAuthError } from './errors.ts';
import { createKeySource } from './key-source.ts';
import { principalFromClaims } from './principal.ts';
import type { Principal } from './principal.ts';
import { canonicalResource, secureUrl } from './secure-url.ts';

/** Longer tokens are refused unread. */
const MAX_TOKEN_LENGTH = 8 * 1024;

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
  readonly jwksUrl?: string;
  /** Allowed difference between the clocks, 0 to 60 seconds. @default 10 */
  readonly clockToleranceSeconds?: number;
  /** The `typ` a token must have. `JWT` is for issuers that cannot do RFC 9068. @default 'at+jwt' */
  readonly tokenType?: 'at+jwt' | 'JWT';
  /** Accept tokens that are valid at other servers too: each of those can then act as the user here. @default false */
  readonly allowExtraAudiences?: boolean;
  /** The time in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Turns the text of a token into a principal, or refuses it. */
export interface TokenVerifier {
  /** @throws AuthError `invalid_token`, or `unavailable` when the issuer's keys cannot be loaded; the signal's reason */
  verify(token: string, options: { readonly signal: AbortSignal }): Promise<Principal>;
  /** Ends requests to the issuer that are in flight. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
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
    async verify(token, { signal }) {
      signal.throwIfAborted();
      if (token.length > MAX_TOKEN_LENGTH) throw refused('longer than 8 KiB');
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
        throw refused('issued in the future');
      }
      return principalFromClaims(claims);
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
    now: options.now ?? (() => Date.now()),
    ...(options.jwksUrl !== undefined && { jwksUrl: secureUrl(options.jwksUrl, 'jwksUrl') }),
  };
}

/** MCP: a token must be issued specifically for this server, so by default it names no other. */
function checkAudience(claim: unknown, settings: { audience: string; allowExtraAudiences: boolean }): void {
  const audiences: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const isOurs = (value: unknown): boolean =>
    typeof value === 'string' && canonicalResource(value) === settings.audience;
  if (!audiences.some(isOurs)) throw refused('issued for another audience');
  if (!settings.allowExtraAudiences && !audiences.every(isOurs))
    throw refused('valid at other audiences too');
}

/** Only jose's code and the claim's name are kept: its messages and its `payload` hold what the sender wrote. */
function verificationError(error: unknown): AuthError {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return refused(`${error.code} ${error.claim}`);
  }
  if (error instanceof errors.JOSEError) return refused(error.code);
  // Not the token's fault as far as we can tell, for example a key that this machine cannot use.
  const name = error instanceof Error ? error.name : typeof error;
  return new AuthError('unavailable', { message: `verification failed: ${name}`, retryAfterMs: 5_000 });
}

function refused(reason: string): AuthError {
  return new AuthError('invalid_token', { message: `token refused: ${reason}` });
}
