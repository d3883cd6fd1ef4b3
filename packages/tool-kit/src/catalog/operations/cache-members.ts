import type { RequestContext } from '../../call/operation.ts';
import type { CacheHint } from '../../definition/listing-options.ts';
import type { JsonObject } from '../../json.ts';

/** The members of a result that say how long it may be kept, which 2026-07-28 brought (SEP-2549). */
export function cacheMembers(cache: CacheHint | undefined, era: RequestContext['era']): JsonObject {
  return cache === undefined || era === '2025'
    ? {}
    : { ttlMs: cache.ttlMs, cacheScope: cache.scope ?? 'private' };
}

/** The same for a list, which is one caller's own. */
export function listCacheMembers(ttlMs: number, era: RequestContext['era']): JsonObject {
  return ttlMs === 0 ? {} : cacheMembers({ ttlMs }, era);
}
