import type { Directory } from './directory.ts';
import { AuthError, isAuthError } from './errors.ts';
import type { Principal } from './principal.ts';
import { createTtlCache } from './ttl-cache.ts';

const MAX_CACHED_PRINCIPALS = 10_000;
const LOOKUP_TIMEOUT_MS = 5_000;
/** Somebody without groups may just have been added: ask again soon. */
const NO_GROUPS_TTL_MS = 30_000;
const RETRY_AFTER_MS = 5_000;

/** A directory with a memory. */
export interface GroupLookup {
  /**
   * The groups of a principal, at most `maxAgeMs` old.
   * @throws AuthError `unavailable` when the directory cannot be asked, or what the directory throws as AuthError; the
   * signal's reason
   */
  groupsOf(
    principal: Principal,
    options: { readonly signal: AbortSignal; readonly maxAgeMs?: number },
  ): Promise<readonly string[]>;
  /** Ends look-ups in flight. */
  close(): void;
}

/** Asks a directory once per principal and time, however many wait. */
export function createGroupLookup(options: {
  readonly directory: Directory;
  /** How long groups are trusted, in milliseconds. */
  readonly ttlMs: number;
  readonly now: () => number;
}): GroupLookup {
  const { directory, ttlMs, now } = options;
  const cache = createTtlCache<readonly string[]>({
    ttlMs: (groups) => (groups.length === 0 ? Math.min(NO_GROUPS_TTL_MS, ttlMs) : ttlMs),
    maxEntries: MAX_CACHED_PRINCIPALS,
    loadTimeoutMs: LOOKUP_TIMEOUT_MS,
    now,
  });

  return {
    async groupsOf(principal, { signal, maxAgeMs }) {
      // A frozen copy: it is handed to every caller with this id until it is stale.
      const load = async (lookup: AbortSignal) =>
        Object.freeze([...(await directory.groupsOf(principal, { signal: lookup }))]);
      try {
        return await cache.get(principal.id, signal, load, maxAgeMs);
      } catch (cause) {
        if (signal.aborted || isAuthError(cause)) throw cause;
        throw new AuthError('unavailable', {
          message: 'the directory cannot be asked',
          retryAfterMs: RETRY_AFTER_MS,
          cause,
        });
      }
    },
    close: () => cache.close(),
  };
}
