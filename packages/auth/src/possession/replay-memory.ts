import { checkWhole } from '../check-number.ts';
import type { ReplayStore } from './replay-store.ts';

/** How much is remembered. */
export interface ReplayMemoryOptions {
  /** Claims that count at once, 1 to 10_000_000. @default 100_000 */
  readonly maxEntries?: number | undefined;
  /** The part of these that one owner can have, 1 to `maxEntries`. @default a tenth */
  readonly maxEntriesPerOwner?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** @throws {RangeError} naming the number */
function resolveReplayMemoryOptions(options: ReplayMemoryOptions) {
  const { maxEntries = 100_000, now = () => Date.now() } = options;
  checkWhole('maxEntries', maxEntries, 1, 10_000_000);
  const { maxEntriesPerOwner = Math.ceil(maxEntries / 10) } = options;
  checkWhole('maxEntriesPerOwner', maxEntriesPerOwner, 1, maxEntries);
  return { maxEntries, maxEntriesPerOwner, now };
}

interface Entry {
  readonly id: string;
  readonly owner: string;
  readonly untilMs: number;
}

/**
 * A memory of this process. When it, or an owner's share of it, is full of claims that still count it throws rather than
 * forget one: forgetting would let a replay pass.
 * @throws {RangeError} naming the number
 */
export function createReplayMemory(options: ReplayMemoryOptions = {}): ReplayStore {
  const { maxEntries, maxEntriesPerOwner, now } = resolveReplayMemoryOptions(options);
  const claims = new Map<string, number>();
  const counts = new Map<string, number>();
  /** By the second in which they end: only those of one second are ever looked at again. */
  const endings = new Map<number, Entry[]>();
  let size = 0;

  function forget(entry: Entry): void {
    size -= 1;
    if (claims.get(entry.id) === entry.untilMs) {
      claims.delete(entry.id);
    }
    const count = (counts.get(entry.owner) ?? 1) - 1;
    if (count === 0) {
      counts.delete(entry.owner);
    } else {
      counts.set(entry.owner, count);
    }
  }

  function forgetExpired(at: number): void {
    for (const [second, entries] of endings) {
      if (second * 1000 > at) {
        continue;
      }
      const lasting = entries.filter(({ untilMs }) => untilMs > at);
      entries.filter(({ untilMs }) => untilMs <= at).forEach(forget);
      if (lasting.length === 0) {
        endings.delete(second);
      } else {
        endings.set(second, lasting);
      }
    }
  }

  function remember(entry: Entry): void {
    const second = Math.floor(entry.untilMs / 1000);
    const entries = endings.get(second);
    if (entries === undefined) {
      endings.set(second, [entry]);
    } else {
      entries.push(entry);
    }
    claims.set(entry.id, entry.untilMs);
    counts.set(entry.owner, (counts.get(entry.owner) ?? 0) + 1);
    size += 1;
  }

  const isFull = (owner: string): boolean =>
    size >= maxEntries || (counts.get(owner) ?? 0) >= maxEntriesPerOwner;

  return {
    claim(id, { ttlMs, owner }) {
      const at = now();
      if ((claims.get(id) ?? -Infinity) > at) {
        return false;
      }
      if (isFull(owner)) {
        forgetExpired(at);
      }
      if (isFull(owner)) {
        throw new Error(
          size >= maxEntries
            ? `more than ${maxEntries} proofs are remembered`
            : `more than ${maxEntriesPerOwner} proofs of one owner are remembered`,
        );
      }
      remember({ id, owner, untilMs: at + ttlMs });
      return true;
    },
  };
}
