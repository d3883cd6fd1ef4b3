import { createHash } from 'node:crypto';

import { systemClock } from '../time/clock.ts';
import { createTokenCache, type TokenCache } from './cache.ts';
import type { TokenOptions } from './client-credentials.ts';
import { checkDuration, createTokenEndpoint } from './endpoint.ts';
import type { TokenSource } from './source.ts';

/** How to exchange a caller's token for one that a backend accepts (RFC 8693). */
export interface TokenExchangeOptions extends TokenOptions {
  /** What kind of token the caller brings. @default `urn:ietf:params:oauth:token-type:access_token` */
  readonly subjectTokenType?: string;
  /** Callers whose tokens are kept; the one not seen for longest makes room. @default 1_000 */
  readonly maxSubjects?: number;
}

/** Exchanges callers' tokens. */
export interface TokenExchange {
  /**
   * The source of tokens on behalf of whoever this token belongs to: pass it as `token` of one call. The exchanged token
   * is kept for the next call with the same subject token, under its digest and never itself.
   */
  forSubject(subjectToken: string): TokenSource;
}

/**
 * Gets tokens on behalf of callers, so that a backend sees who is behind a call and a caller's own token never leaves.
 * @throws {TypeError} for a URL that cannot work, or unless it is clear whom to ask and how
 * @throws {RangeError} when a number is out of range
 */
export function tokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { clock = systemClock, random = Math.random, skewMs = 30_000, maxSubjects = 1_000 } = options;
  const { scope, resource, audience, subjectTokenType = ACCESS_TOKEN } = options;
  checkDuration('skewMs', skewMs);
  if (!Number.isSafeInteger(maxSubjects) || maxSubjects < 1) {
    throw new RangeError(`maxSubjects must be a whole number from 1, not ${maxSubjects}`);
  }
  const endpoint = createTokenEndpoint(options);
  // In the order of last use.
  const caches = new Map<string, TokenCache>();

  function cacheOf(subjectToken: string): TokenCache {
    const digest = createHash('sha256').update(subjectToken).digest('base64url');
    const cache = caches.get(digest) ?? createTokenCache({ clock, random, skewMs });
    caches.delete(digest);
    caches.set(digest, cache);
    if (caches.size > maxSubjects) {
      const [oldest] = caches.keys();
      if (oldest !== undefined) caches.delete(oldest);
    }
    return cache;
  }

  return {
    forSubject(subjectToken) {
      if (subjectToken === '') throw new TypeError('subjectToken must not be empty');
      const cache = cacheOf(subjectToken);
      const fetch = () =>
        endpoint.request(TOKEN_EXCHANGE, {
          subject_token: subjectToken,
          subject_token_type: subjectTokenType,
          requested_token_type: ACCESS_TOKEN,
          scope,
          resource,
          audience,
        });
      return {
        get: ({ signal }) => cache.get(fetch, signal),
        reject: (value) => cache.reject(value),
      };
    },
  };
}

// RFC 8693 §2.1 and §3
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
