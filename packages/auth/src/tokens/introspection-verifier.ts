import { createHash } from 'node:crypto';

import { z } from 'zod';

import { createTtlCache } from '../cache/ttl-cache.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import { canonicalResource, secureUrl } from '../secure-url.ts';
import { checkAudience } from './audience.ts';
import { fetchDocument } from './fetch-document.ts';
import type { GroupClaimOptions } from './group-claim.ts';
import { identityFromClaims } from './principal.ts';
import type { TokenIdentity } from './principal.ts';
import { MAX_TOKEN_LENGTH, provenPrincipal } from './token-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

const TIMEOUT_MS = 5_000;
/** Strangers' tokens cost a request each: more at once than this wait for nobody and are turned away. */
const MAX_IN_FLIGHT = 100;
const MAX_CACHED_TOKENS = 10_000;
/** Longest that a revoked token still works. */
const MAX_TTL_MS = 60_000;
/** Shorter: an issuer's replicas may not know a new token yet. */
const REFUSAL_TTL_MS = 10_000;
const RETRY_AFTER_MS = 5_000;

export interface IntrospectionVerifierOptions {
  /** The authorization server: becomes the issuer of the principals. https (http on loopback). */
  readonly issuer: string;
  /** This server's resource URI: the `aud` that the issuer must name. */
  readonly audience: string;
  /** The issuer's introspection endpoint. https (http on loopback). */
  readonly introspectionUrl: string;
  /** How this server signs in there: HTTP Basic, RFC 6749 §2.3.1. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Accept tokens that are valid at other servers too. @default false */
  readonly allowExtraAudiences?: boolean | undefined;
  /**
   * What a token is whose answer names no subject: `service` for issuers that leave it out for client credentials, and
   * never do for users; its client is then the subject. @default 'refuse'
   */
  readonly missingSubject?: 'refuse' | 'service' | undefined;
  /** Takes groups from the answer: for an issuer that is trusted with it. @default groups come from the directory */
  readonly groups?: GroupClaimOptions | undefined;
  /** Allowed difference between the clocks, 0 to 60 seconds. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /** How long an answer counts, at most, in milliseconds: 0 to 60_000, and never past the token's end. @default 60_000 */
  readonly cacheMs?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

const answerSchema = z.looseObject({
  active: z.boolean(),
  iss: z.string().optional(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  exp: z.number().optional(),
  sub: z.string().optional(),
  client_id: z.string().optional(),
});

/**
 * Verifies opaque tokens by asking their issuer (RFC 7662). What it remembers, it keeps under the token's SHA-256.
 * An answer without `exp`, `sub` or our `aud` is no proof, so such a token is refused.
 * @throws TypeError or RangeError naming the option
 */
export function createIntrospectionVerifier(options: IntrospectionVerifierOptions): TokenVerifier {
  const settings = checkOptions(options);
  const { issuer, url, clockToleranceMs, cacheMs, now } = settings;
  let inFlight = 0;
  // A refusal is kept as an answer too: it is one, and a client that repeats a bad token asks nobody again.
  const answers = createTtlCache<Answer>({
    ttlMs: ({ endsAt }) => Math.min(endsAt - now(), cacheMs),
    maxEntries: MAX_CACHED_TOKENS,
    loadTimeoutMs: TIMEOUT_MS,
    now,
  });

  async function ask(token: string, signal: AbortSignal): Promise<Answer> {
    if (inFlight >= MAX_IN_FLIGHT) throw unavailable('too many introspections at once');
    inFlight += 1;
    try {
      const { status, text } = await fetchDocument(url.href, signal, {
        headers: { authorization: settings.authorization },
        form: new URLSearchParams({ token, token_type_hint: 'access_token' }),
      });
      if (status !== 200) throw unavailable(`the introspection endpoint answered ${status}`);
      return readAnswer(answerSchema.parse(JSON.parse(text)));
    } finally {
      inFlight -= 1;
    }
  }

  function readAnswer(claims: z.infer<typeof answerSchema>): Answer {
    const at = now();
    const refusal = (reason: string): Answer => ({ refusal: reason, endsAt: at + REFUSAL_TTL_MS });
    if (!claims.active) return refusal('not active');
    if (claims.iss !== undefined && claims.iss !== issuer) return refusal('another issuer');
    if (claims.exp === undefined) return refusal('no expiry');
    if (claims.exp * 1000 + clockToleranceMs <= at) return refusal('expired');
    for (const claim of ['nbf', 'iat'] as const) {
      if ((claims[claim] ?? 0) * 1000 > at + clockToleranceMs) return refusal(`${claim} in the future`);
    }
    try {
      checkAudience(claims['aud'], settings);
      const sub = claims.sub ?? (settings.missingSubject === 'service' ? claims.client_id : undefined);
      const identity = identityFromClaims({ ...claims, iss: issuer, sub }, settings);
      return { identity, endsAt: claims.exp * 1000 + clockToleranceMs };
    } catch (error) {
      if (!isAuthError(error)) throw error;
      return refusal(error.message);
    }
  }

  const close = async (): Promise<void> => answers.close();
  return {
    issuers: [issuer],
    async verify(token, { signal, prove }) {
      signal.throwIfAborted();
      if (token.length > MAX_TOKEN_LENGTH) throw tokenRefused('longer than 8 KiB');
      let answer: Answer;
      try {
        answer = await answers.get(sha256(token), signal, (lookup) => ask(token, lookup));
      } catch (error) {
        if (signal.aborted || isAuthError(error)) throw error;
        throw unavailable('the introspection endpoint cannot be asked', error);
      }
      if ('refusal' in answer) throw tokenRefused(answer.refusal);
      return provenPrincipal(answer.identity, prove);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Answer =
  | { readonly identity: TokenIdentity; readonly endsAt: number }
  | { readonly refusal: string; readonly endsAt: number };

function checkOptions(options: IntrospectionVerifierOptions) {
  const { issuer, audience, client, clockToleranceSeconds = 10, cacheMs = MAX_TTL_MS } = options;
  if (/[?#]/.test(issuer)) throw new TypeError(`issuer must have no query or fragment, got ${issuer}`);
  secureUrl(issuer, 'issuer');
  if (typeof audience !== 'string' || audience === '') throw new TypeError('audience is required');
  if (client.id === '' || client.secret === '') throw new TypeError('client needs an id and a secret');
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 60)) {
    throw new RangeError(`clockToleranceSeconds must be 0 to 60, got ${clockToleranceSeconds}`);
  }
  if (!(cacheMs >= 0 && cacheMs <= MAX_TTL_MS)) {
    throw new RangeError(`cacheMs must be 0 to ${MAX_TTL_MS}, got ${cacheMs}`);
  }
  const basic = [client.id, client.secret].map((part) => encodeForm(part)).join(':');
  return {
    issuer,
    audience: canonicalResource(audience),
    url: secureUrl(options.introspectionUrl, 'introspectionUrl'),
    authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
    allowExtraAudiences: options.allowExtraAudiences ?? false,
    missingSubject: options.missingSubject ?? 'refuse',
    ...(options.groups !== undefined && { groups: options.groups }),
    clockToleranceMs: clockToleranceSeconds * 1000,
    cacheMs,
    now: options.now ?? (() => Date.now()),
  };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
function encodeForm(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}

function sha256(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('unavailable', { message, retryAfterMs: RETRY_AFTER_MS, cause });
}
