import { systemClock } from '../time/clock.ts';
import { createTokenCache } from './cache.ts';
import { checkDuration, createTokenEndpoint, type TokenEndpointOptions } from './endpoint.ts';
import type { TokenSource } from './source.ts';

/** What a token is asked for, and when it is renewed. */
export interface TokenOptions extends TokenEndpointOptions {
  /** Space-separated scopes. @default what the server grants by itself */
  readonly scope?: string;
  /** The service the token is for, as an absolute URI (RFC 8707). @default not sent */
  readonly resource?: string;
  /** The same for servers that know `audience` instead. @default not sent */
  readonly audience?: string;
  /** A token is not used in its last milliseconds, these or half its life if that is shorter. @default 30_000 */
  readonly skewMs?: number;
  /** From 0 to below 1, so that replicas do not renew together. @default Math.random */
  readonly random?: () => number;
}

/** How to get tokens for this program itself (RFC 6749 §4.4). */
export type ClientCredentialsOptions = TokenOptions;

/**
 * Gets and keeps an access token by the client credentials grant. Concurrent callers share one request, the token is
 * renewed in the background at about 80 % of its life, a failure is remembered for 2 s, and nothing needs closing. One
 * source is for one scope and resource.
 * @throws {TypeError} for a URL that cannot work, or unless it is clear whom to ask and how
 * @throws {RangeError} when a duration is not a positive number
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenSource {
  const { clock = systemClock, random = Math.random, skewMs = 30_000, scope, resource, audience } = options;
  checkDuration('skewMs', skewMs);
  const endpoint = createTokenEndpoint(options);
  const cache = createTokenCache({ clock, random, skewMs });
  const fetch = () => endpoint.request('client_credentials', { scope, resource, audience });
  return {
    get: ({ signal }) => cache.get(fetch, signal),
    reject: (value) => cache.reject(value),
  };
}
