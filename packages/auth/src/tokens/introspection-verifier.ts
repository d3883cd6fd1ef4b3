import { z } from 'zod';

import { createTtlCache } from '../cache/ttl-cache.ts';
import { checkWhole } from '../check-number.ts';
import { checkAudience } from '../claims/audience.ts';
import type { TokenRules } from '../claims/token-rules.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import { createFactClock } from '../facts/fact-age.ts';
import { sha256 } from '../possession/digest.ts';
import { resolveTokenRules } from '../providers/token-rule-options.ts';
import type { TokenRuleOptions } from '../providers/token-rule-options.ts';
import { checkAudienceUri, checkIssuerName, secureUrl } from '../secure-url.ts';
import { fetchDocument } from './fetch-document.ts';
import { createInFlightShares } from './in-flight-shares.ts';
import type { InFlightRequest } from './in-flight-shares.ts';
import { identityFromClaims } from './principal.ts';
import type { TokenIdentity } from './principal.ts';
import { checkTokenLength, provenPrincipal } from './token-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

const TIMEOUT_MS = 5_000;
/** Strangers' tokens cost a request each: beside more at once than this, only who has sent few of them may wait. */
const MAX_IN_FLIGHT = 100;
/** The part of these that one address can take, where addresses are known. */
const MAX_IN_FLIGHT_PER_SOURCE = 20;
/** How long a revoked token still works, at most. */
const MAX_TTL_MS = 60_000;
/** Shorter: an issuer's replicas may not know a new token yet. */
const REFUSAL_TTL_MS = 10_000;
const RETRY_AFTER_MS = 5_000;

/** Whose tokens are asked about, where, and how long what was said counts. */
export interface IntrospectionVerifierOptions extends Omit<TokenRuleOptions, 'tokenType'> {
  /** The authorization server: becomes the issuer of the principals. https (http on loopback). */
  readonly issuer: string;
  /** This server's resource URI: the `aud` that the issuer must name. */
  readonly audience: string;
  /** The issuer's introspection endpoint. https (http on loopback). */
  readonly introspectionUrl: string;
  /** How this server signs in there (RFC 6749 §2.3.1): by HTTP Basic, or with id and secret in the form. `method` @default 'basic' */
  readonly client: {
    readonly id: string;
    readonly secret: string;
    readonly method?: 'basic' | 'post' | undefined;
  };
  /** Allowed difference between the clocks, in whole seconds, 0 to 60. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /** How long a response counts, at most, in milliseconds: 0 to 60_000, and never past the token's end. @default 60_000 */
  readonly cacheMs?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

interface ResolvedIntrospectionVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly url: URL;
  /** How this server signs in, in the headers or in the form of a question. */
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
  readonly rules: TokenRules;
  readonly clockToleranceMs: number;
  readonly cacheMs: number;
  readonly now: () => number;
}

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
function resolveIntrospectionVerifierOptions(
  options: IntrospectionVerifierOptions,
): ResolvedIntrospectionVerifierOptions {
  const { client, clockToleranceSeconds = 10, cacheMs = MAX_TTL_MS } = options;
  if (client.id === '' || client.secret === '') {
    throw new TypeError('client needs an id and a secret');
  }
  const { method = 'basic' } = client;
  if (method !== 'basic' && method !== 'post') {
    throw new TypeError(`client.method must be "basic" or "post", got ${JSON.stringify(method)}`);
  }
  checkWhole('clockToleranceSeconds', clockToleranceSeconds, 0, 60);
  checkWhole('cacheMs', cacheMs, 0, MAX_TTL_MS);
  // Only a name: it is the endpoint that is asked.
  const issuer = checkIssuerName(options.issuer, 'issuer');
  const audience = checkAudienceUri(options.audience, 'audience');
  const basic = [client.id, client.secret].map((part) => encodeForm(part)).join(':');
  return {
    issuer,
    audience,
    url: secureUrl(options.introspectionUrl, 'introspectionUrl'),
    headers: method === 'basic' ? { authorization: `Basic ${Buffer.from(basic).toString('base64')}` } : {},
    form: method === 'post' ? { client_id: client.id, client_secret: client.secret } : {},
    rules: resolveTokenRules(options, { issuer, audience }),
    clockToleranceMs: clockToleranceSeconds * 1_000,
    cacheMs,
    now: options.now ?? (() => Date.now()),
  };
}

const responseSchema = z.looseObject({
  active: z.boolean(),
  iss: z.string().nullish(),
  nbf: z.number().nullish(),
  iat: z.number().nullish(),
  exp: z.number().nullish(),
});

/**
 * Verifies opaque tokens by asking their issuer (RFC 7662). What it remembers, it keeps under the token's SHA-256.
 * A response without `exp`, `sub` or our `aud` is no proof, so such a token is refused.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createIntrospectionVerifier(options: IntrospectionVerifierOptions): TokenVerifier {
  const resolved = resolveIntrospectionVerifierOptions(options);
  const { issuer, url, rules, clockToleranceMs, cacheMs, now } = resolved;
  const clock = createFactClock('introspection', cacheMs, now);
  const places = createInFlightShares({ total: MAX_IN_FLIGHT, perSource: MAX_IN_FLIGHT_PER_SOURCE });
  // A refusal is kept too: a client that repeats a bad token asks nobody again.
  const verdicts = createTtlCache<Verdict>({
    isKnown: (verdict) => 'identity' in verdict,
    ttlMs: ({ endsAt }) => Math.min(endsAt - now(), cacheMs),
    loadTimeoutMs: TIMEOUT_MS,
    now,
  });

  async function ask(token: string, signal: AbortSignal, request: InFlightRequest): Promise<Verdict> {
    const leave = await places.enter(request, signal);
    if (leave === undefined) {
      throw unavailable('too many introspections at once');
    }
    const askedAt = now();
    let isAboutToken = false;
    try {
      const { status, text } = await fetchDocument(url.href, signal, {
        headers: resolved.headers,
        form: new URLSearchParams({ token, token_type_hint: 'access_token', ...resolved.form }),
      });
      // Anybody may send a token that the endpoint cannot make sense of: it is there all the same.
      isAboutToken = status === 400;
      if (status !== 200) {
        throw unavailable(`the introspection endpoint responded with ${status}`);
      }
      const response = responseSchema.parse(JSON.parse(text));
      clock.confirmed(askedAt);
      return readResponse(response);
    } catch (error) {
      if (!isAboutToken) {
        clock.failed();
      }
      throw error;
    } finally {
      leave();
    }
  }

  function readResponse(claims: z.infer<typeof responseSchema>): Verdict {
    const at = now();
    const refused = ({ message }: Error): Verdict => ({ message, endsAt: at + REFUSAL_TTL_MS });
    const refusal = (reason: string): Verdict => refused(tokenRefused(reason));
    if (!claims.active) {
      return refusal('not active');
    }
    if (claims.iss != null && claims.iss !== issuer) {
      return refusal('another issuer');
    }
    if (claims.exp == null) {
      return refusal('no expiry');
    }
    if (claims.exp * 1000 + clockToleranceMs <= at) {
      return refusal('expired');
    }
    for (const claim of ['nbf', 'iat'] as const) {
      if ((claims[claim] ?? 0) * 1000 > at + clockToleranceMs) {
        return refusal(`${claim} in the future`);
      }
    }
    try {
      checkAudience(claims, resolved.audience, rules);
      const identity = identityFromClaims({ ...claims, iss: issuer }, rules, { isTyped: false });
      return { identity, endsAt: claims.exp * 1000 + clockToleranceMs };
    } catch (error) {
      if (!isAuthError(error)) {
        throw error;
      }
      return refused(error);
    }
  }

  const close = async (): Promise<void> => verdicts.close();
  return {
    issuers: [issuer],
    groupIssuers: rules.groups === undefined ? [] : [issuer],
    ages: clock.ages,
    async verify(token, { signal, prove, source }) {
      signal.throwIfAborted();
      checkTokenLength(token);
      let verdict: Verdict;
      try {
        verdict = await verdicts.get(sha256(token), signal, (lookup, isKnown) =>
          ask(token, lookup, { isKnown, source }),
        );
      } catch (error) {
        if (signal.aborted || isAuthError(error)) {
          throw error;
        }
        throw unavailable('the introspection endpoint cannot be asked', error);
      }
      if ('message' in verdict) {
        throw new AuthError('invalid_token', { message: verdict.message });
      }
      return provenPrincipal(verdict.identity, prove);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Verdict =
  | { readonly identity: TokenIdentity; readonly endsAt: number }
  | { readonly message: string; readonly endsAt: number };

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
function encodeForm(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}

function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('unavailable', { message, retryAfterMs: RETRY_AFTER_MS, cause });
}
