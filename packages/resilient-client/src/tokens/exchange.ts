import { createHash } from 'node:crypto';

import { checkWhole } from '../check-number.ts';
import { createTokenCache, type TokenCache } from './cache.ts';
import { createTokenEndpoint } from './endpoint.ts';
import { measureTokens } from './metrics.ts';
import { resolveTokenOptions, type ResolvedTokenOptions, type TokenOptions } from './options.ts';
import { principalOf } from './principal.ts';
import type { TokenSource } from './source.ts';

/** How to exchange a caller's token for one that an upstream accepts (RFC 8693). */
export interface TokenExchangeOptions extends TokenOptions {
  /** What kind of token the caller brings. @default `urn:ietf:params:oauth:token-type:access_token` */
  readonly subjectTokenType?: string | undefined;
  /** Callers whose tokens are kept; the one not seen for longest makes room; a whole number from 1. @default 1_000 */
  readonly maxSubjects?: number | undefined;
}

/** {@link TokenExchangeOptions}, filled in and checked. */
interface ResolvedTokenExchangeOptions extends ResolvedTokenOptions {
  readonly subjectTokenType: string;
  readonly maxSubjects: number;
}

function resolveTokenExchangeOptions(options: TokenExchangeOptions): ResolvedTokenExchangeOptions {
  const { subjectTokenType = ACCESS_TOKEN, maxSubjects = 1_000 } = options;
  checkWhole('maxSubjects', maxSubjects, 1, Number.MAX_SAFE_INTEGER);
  return { ...resolveTokenOptions(options), subjectTokenType, maxSubjects };
}

/** Exchanges callers' tokens. */
export interface TokenExchange {
  /**
   * The source of tokens on behalf of whoever this token belongs to: pass it as `token` of one call. The exchanged token
   * is kept for the next call with the same subject token, under its digest and never itself.
   */
  readonly forSubject: (subjectToken: string) => TokenSource;
}

/**
 * Gets tokens on behalf of callers, so that an upstream sees who is behind a call and a caller's own token never leaves.
 * @throws {TypeError} for a URL that cannot work, or unless it is clear whom to ask and how
 * @throws {RangeError} when a number is out of range
 */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const resolved = resolveTokenExchangeOptions(options);
  const { scope, resource, audience, subjectTokenType, maxSubjects } = resolved;
  const endpoint = createTokenEndpoint(resolved);
  const onFetched = measureTokens(resolved.meter, 'token_exchange');
  // In the order of last use.
  const caches = new Map<string, TokenCache>();

  function cacheOf(digest: string): TokenCache {
    const cache = caches.get(digest) ?? createTokenCache({ ...resolved, onFetched });
    caches.delete(digest);
    caches.set(digest, cache);
    if (caches.size > maxSubjects) {
      const [oldest] = caches.keys();
      if (oldest !== undefined) {
        caches.delete(oldest);
      }
    }
    return cache;
  }

  return {
    forSubject(subjectToken) {
      if (subjectToken === '') {
        throw new TypeError('subjectToken must not be empty');
      }
      const cache = cacheOf(createHash('sha256').update(subjectToken).digest('base64url'));
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
        // Not the text of the token, which the next one of the same person does not share.
        subject: principalOf(subjectToken),
        get: (options) => cache.get(fetch, options),
        invalidate: (value) => cache.invalidate(value),
      };
    },
  };
}

// RFC 8693 §2.1 and §3
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
