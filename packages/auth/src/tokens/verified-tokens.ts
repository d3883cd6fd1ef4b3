import { sha256 } from '../possession/digest.ts';
import type { TokenIdentity } from './principal.ts';

/** What is remembered of a verified token, and until when: a fraction of how long the issuer's keys are trusted. */
const REMEMBERED_MS = 30_000;
/** About a kilobyte each. */
const MAX_REMEMBERED = 5_000;

/**
 * What signatures were found to vouch for, for a moment: to check one takes more of a server than all else that a call
 * needs. Tokens are known by their SHA-256. Only what cannot change is remembered, which is who signed what: whether a
 * token has ended is looked at each time, and so is the key that it is bound to.
 */
export interface VerifiedTokens {
  /** The identity in this token, if it was verified by these keys a moment ago and has not ended since. */
  readonly find: (token: string, keysLoadedAt: number | undefined) => TokenIdentity | undefined;
  /** Remembers what was verified at `at` by the keys that were loaded at `keysLoadedAt`. */
  readonly keep: (
    token: string,
    identity: TokenIdentity,
    at: number,
    keysLoadedAt: number | undefined,
  ) => void;
}

interface Verified {
  readonly identity: TokenIdentity;
  readonly at: number;
  readonly keysLoadedAt: number;
}

/** Remembers the last 5,000 tokens for 30 seconds. Instants are in milliseconds since the Unix epoch. */
export function createVerifiedTokens({
  clockToleranceSeconds,
  now,
}: {
  readonly clockToleranceSeconds: number;
  readonly now: () => number;
}): VerifiedTokens {
  // In the order in which they were verified, so that the first is the first that is too old.
  const verified = new Map<string, Verified>();

  /** Also false when the clock was set back: then nothing is known about times. */
  const isRecent = (at: number) => at <= now() && now() - at < REMEMBERED_MS;

  function forgetOld(): void {
    for (const [digest, { at }] of verified) {
      if (isRecent(at) && verified.size <= MAX_REMEMBERED) {
        return;
      }
      verified.delete(digest);
    }
  }

  return {
    find(token, keysLoadedAt) {
      if (verified.size === 0) {
        return undefined;
      }
      const known = verified.get(sha256(token));
      if (known === undefined || known.keysLoadedAt !== keysLoadedAt || !isRecent(known.at)) {
        return undefined;
      }
      const { expiresAt } = known.identity.principal;
      return expiresAt / 1_000 > Math.floor(now() / 1_000) - clockToleranceSeconds
        ? known.identity
        : undefined;
    },
    keep(token, identity, at, keysLoadedAt) {
      if (keysLoadedAt === undefined) {
        return;
      }
      const digest = sha256(token);
      verified.delete(digest);
      verified.set(digest, { identity, at, keysLoadedAt });
      forgetOld();
    },
  };
}
