import { encodeJson } from '../encoded-json.ts';
import { PublicError } from '../errors.ts';
import { createBoundedMemory } from '../limits/bounded-memory.ts';
import type { IdempotencyStore, RepeatableCall } from '../ports.ts';

const MIB = 1024 * 1024;
const BOUNDS = {
  maxValues: 20_000,
  maxValuesPerOwner: 4_000,
  maxBytes: 64 * MIB,
  maxBytesPerOwner: 16 * MIB,
};

/**
 * Remembers in this process what was called, and what it gave: for one caller as much as for others. Where answers take too
 * much room, it is remembered that there was one.
 */
export function createIdempotencyMemory(now?: () => number): IdempotencyStore {
  const calls = createBoundedMemory<RepeatableCall>(BOUNDS, now);
  return {
    async claim(key, call, kept) {
      const known = calls.get(key);
      if (known === undefined && !calls.put(key, call, kept)) {
        throw new PublicError(
          'idempotency_unavailable',
          'Nothing was done: too many calls are remembered. Try again in a few minutes.',
        );
      }
      return known;
    },
    async keep(key, call, kept) {
      if (!calls.put(key, call, { ...kept, bytes: sizeOf(call) })) {
        calls.put(key, call.state === 'done' ? { ...call, result: FORGOTTEN } : call, kept);
      }
    },
    async release(key) {
      calls.delete(key);
    },
  };
}

const FORGOTTEN = {
  isError: true,
  content: [
    {
      type: 'text',
      text: 'Not done again: the same call was made before and has taken effect. Its answer is not kept any more; look at what it has changed.',
    },
  ],
};

function sizeOf(call: RepeatableCall): number {
  return call.state === 'done' ? encodeJson(call.result).bytes : 0;
}
