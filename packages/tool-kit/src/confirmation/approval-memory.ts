import { PublicError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { createBoundedMemory } from '../limits/bounded-memory.ts';
import type { ApprovalStore } from '../ports.ts';

/** What waits for a person, so more than this at once is no use but an attack. */
const BOUNDS = {
  maxValues: 10_000,
  maxValuesPerOwner: 1_000,
  maxBytes: Infinity,
  maxBytesPerOwner: Infinity,
};

/** Remembers in this process what waits for a second person: of one caller as much as of others. */
export function createApprovalMemory(now?: () => number): ApprovalStore {
  const values = createBoundedMemory<JsonObject>(BOUNDS, now);
  return {
    async keep(key, value, kept) {
      const known = values.get(key);
      if (known === undefined && !values.put(key, value, kept)) {
        throw new PublicError(
          'approval_unavailable',
          'Nothing was done: too much waits for approval. Try again in a few minutes.',
        );
      }
      return known ?? value;
    },
    get: async (key) => values.get(key),
    async forget(key) {
      values.delete(key);
    },
  };
}
