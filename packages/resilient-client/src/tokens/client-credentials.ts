import { createTokenCache } from './cache.ts';
import { createTokenEndpoint } from './endpoint.ts';
import { measureTokens } from './metrics.ts';
import { resolveTokenOptions, type TokenOptions } from './options.ts';
import { principalOf } from './principal.ts';
import type { TokenSource } from './source.ts';

/** How to get tokens for this program itself (RFC 6749 §4.4). */
export type ClientCredentialsOptions = TokenOptions;

/**
 * Gets and keeps an access token by the client credentials grant. Concurrent callers share one request, the token is
 * renewed in the background at about 80 % of its life, a failure is remembered for 2 s, and nothing needs closing. One
 * source is for one scope and resource.
 * @throws {TypeError} for a URL that cannot work, or unless it is clear whom to ask and how.
 * @throws {RangeError} for a number out of range.
 */
export function createClientCredentials(options: ClientCredentialsOptions): TokenSource {
  const resolved = resolveTokenOptions(options);
  const { scope, resource, audience } = resolved;
  const endpoint = createTokenEndpoint(resolved);
  const onFetched = measureTokens(resolved.meter, 'client_credentials');
  const cache = createTokenCache({ ...resolved, onFetched });
  const fetch = () => endpoint.request('client_credentials', { scope, resource, audience });
  return {
    // However often the token is renewed, and whatever it is made of.
    subject: principalOf(JSON.stringify(['client', resolved.server.url.href, resolved.clientId])),
    get: (options) => cache.get(fetch, options),
    invalidate: (value) => cache.invalidate(value),
  };
}
