import { checkWhole } from '../check-number.ts';

/** Remembers what may be used once. Replicas that share one notice a replay on any of them. */
export interface ReplayMemory {
  /**
   * Claims `id` until `untilMs` (in milliseconds since the Unix epoch): `true` for the first who does, `false` for everyone after.
   * Rejects when it cannot tell.
   */
  readonly claim: (id: string, untilMs: number) => boolean | Promise<boolean>;
}

/** How much is remembered. */
export interface ReplayMemoryOptions {
  /** Claims that count at once, 1 to 10_000_000. @default 100_000 */
  readonly maxEntries?: number | undefined;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** @throws {RangeError} naming the number */
function resolveReplayMemoryOptions(options: ReplayMemoryOptions) {
  const { maxEntries = 100_000, now } = options;
  checkWhole('maxEntries', maxEntries, 1, 10_000_000);
  return { maxEntries, now };
}

/**
 * A memory of this process. When it is full of claims that still count it throws rather than forget one: forgetting
 * would let a replay pass.
 * @throws {RangeError} naming the number
 */
export function createReplayMemory(options: ReplayMemoryOptions): ReplayMemory {
  const { maxEntries, now } = resolveReplayMemoryOptions(options);
  const claims = new Map<string, number>();

  function forgetExpired(at: number): void {
    for (const [id, untilMs] of claims) {
      if (untilMs <= at) {
        claims.delete(id);
      }
    }
  }

  return {
    claim(id, untilMs) {
      const at = now();
      const claimed = claims.get(id);
      if (claimed !== undefined && claimed > at) {
        return false;
      }
      if (claims.size >= maxEntries) {
        forgetExpired(at);
      }
      if (claims.size >= maxEntries) {
        throw new Error(`more than ${maxEntries} proofs are remembered`);
      }
      claims.set(id, untilMs);
      return true;
    },
  };
}
