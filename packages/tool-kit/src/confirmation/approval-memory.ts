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

interface Listed {
  readonly value: JsonObject;
  readonly list: string | undefined;
}

/** Remembers in this process what waits for a second person: of one caller as much as of others. */
export function createApprovalMemory(now?: () => number): ApprovalStore {
  const values = createBoundedMemory<Listed>(BOUNDS, now);
  return {
    async keep(key, value, { list, ...kept }) {
      const known = values.get(key);
      if (known === undefined && !values.put(key, { value, list }, kept)) {
        throw new PublicError(
          'approval_unavailable',
          'Nothing was done: too much waits for approval. Try again in a few minutes.',
        );
      }
      return known?.value ?? value;
    },
    get: async (key) => values.get(key)?.value,
    async forget(key) {
      values.delete(key);
    },
    async listed(list, limit) {
      const found = values.all().flatMap((one) => (one.list === list ? [one.value] : []));
      return found.toReversed().slice(0, limit);
    },
  };
}
