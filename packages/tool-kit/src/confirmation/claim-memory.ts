import { PublicError } from '../errors.ts';
import type { ConfirmationClaims } from '../ports.ts';

/** What is claimed takes a person, so more than this at once is no use but an attack. */
const MAX_CLAIMS = 100_000;

/** Remembers in this process what was claimed. */
export function createClaimMemory(now: () => number = () => performance.now()): ConfirmationClaims {
  const claimed = new Map<string, number>();

  /** All are kept for the same time, or nearly: the oldest end first, and one that does not is only kept for longer. */
  function forget(): void {
    for (const [id, endsAt] of claimed) {
      if (endsAt > now()) {
        return;
      }
      claimed.delete(id);
    }
  }

  return {
    async claim(id, { ttlMs }) {
      forget();
      if (claimed.has(id)) {
        return false;
      }
      if (claimed.size >= MAX_CLAIMS) {
        throw new PublicError(
          'confirmation_unavailable',
          'Nothing was done: too much is being confirmed at once. Try again in a few minutes.',
        );
      }
      claimed.set(id, now() + ttlMs);
      return true;
    },
  };
}
