import { createRefreshingCache } from '../cache/refreshing-cache.ts';
import { AuthError, isAuthError } from '../errors.ts';
import { createFactClock } from '../facts/fact-age.ts';
import type { FactAges } from '../facts/fact-age.ts';
import type { Principal } from '../tokens/principal.ts';
import type { Directory } from './directory.ts';

/** Time for two servers that are silent, one after the other, and then for an answer. */
const LOOKUP_TIMEOUT_MS = 10_000;
/** Somebody without groups may just have been added, somebody refused just been let in: ask again soon. */
const NOTHING_TTL_MS = 30_000;
/** So that users who came together do not come back together. */
const TTL_SPREAD = 0.1;
const RETRY_AFTER_MS = 1_000;

/** A user's groups, and when the directory was asked for them, in milliseconds since the Unix epoch. */
interface KnownGroups {
  readonly groups: readonly string[];
  readonly asOf: number;
}

/** A directory with a memory. */
export interface GroupLookup {
  /**
   * The groups of a principal, asked for at most `maxAgeMs` ago; without it, as old as the cache lets them become.
   * @throws {AuthError} `unavailable` when the directory cannot be asked, `access_denied` when it refuses the account;
   * the signal's reason
   */
  readonly groupsOf: (
    principal: Principal,
    options: { readonly signal: AbortSignal; readonly maxAgeMs?: number | undefined },
  ) => Promise<KnownGroups>;
  /** Forgets what is known of a principal. */
  readonly invalidate: (principalId: string) => void;
  /** Forgets everything. */
  readonly clear: () => void;
  /** How long ago the directory last answered; nothing is decided on groups older than `maxStaleMs`. */
  readonly ages: FactAges;
  /** Ends look-ups in flight. */
  readonly close: () => void;
}

/** Checked by `createAuthenticator`. */
interface GroupLookupOptions {
  readonly directory: Directory;
  /** How long groups are trusted, in milliseconds, ±10 %. */
  readonly ttlMs: number;
  /** How old groups may become while the directory cannot be asked, in milliseconds. */
  readonly maxStaleMs: number;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
}

type Membership = { readonly groups: readonly string[] } | { readonly refusal: AuthError };

/** Asks a directory once per principal and time, however many wait, and bridges an outage for a while. */
export function createGroupLookup(options: GroupLookupOptions): GroupLookup {
  const { directory, ttlMs, maxStaleMs, now, random } = options;
  const cache = createRefreshingCache<Membership>({
    ttlMs: (membership) =>
      'groups' in membership && membership.groups.length > 0
        ? ttlMs * (1 - TTL_SPREAD + 2 * TTL_SPREAD * random())
        : Math.min(NOTHING_TTL_MS, ttlMs),
    maxStaleMs,
    loadTimeoutMs: LOOKUP_TIMEOUT_MS,
    now,
    random,
  });

  const clock = createFactClock('groups', maxStaleMs, now);

  async function ask(principal: Principal, signal: AbortSignal): Promise<Membership> {
    const askedAt = now();
    try {
      const groups = await directory.groupsOf(principal, { signal });
      clock.confirmed(askedAt);
      // A frozen copy: it is handed to every caller with this id until there is another.
      return { groups: Object.freeze([...groups]) };
    } catch (error) {
      // An answer like any other. Only what is no answer may be bridged with an older one.
      if (isAuthError(error) && error.code === 'access_denied') {
        clock.confirmed(askedAt);
        return { refusal: error };
      }
      clock.failed();
      throw error;
    }
  }

  return {
    async groupsOf(principal, { signal, maxAgeMs }) {
      const load = (lookup: AbortSignal) => ask(principal, lookup);
      let membership: Membership;
      let asOf: number;
      try {
        ({ value: membership, asOf } = await cache.get(principal.id, load, { signal, maxAgeMs }));
      } catch (cause) {
        if (signal.aborted) {
          throw cause;
        }
        throw new AuthError('unavailable', {
          message: 'the directory cannot be asked',
          retryAfterMs: Math.max(RETRY_AFTER_MS, Math.ceil(cache.retryAfterMs(principal.id))),
          cause,
        });
      }
      if ('refusal' in membership) {
        throw membership.refusal;
      }
      return { groups: membership.groups, asOf };
    },
    invalidate: (principalId) => cache.invalidate(principalId),
    clear: () => cache.clear(),
    ages: clock.ages,
    close: () => cache.close(),
  };
}
