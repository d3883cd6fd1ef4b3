import { PublicError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { ApprovalStore } from '../ports.ts';

/** What waits for a person, so more than this at once is no use but an attack. */
const MAX_VALUES = 10_000;

/** Remembers in this process what waits for a second person. */
export function createApprovalMemory(now: () => number = Date.now): ApprovalStore {
  const values = new Map<string, { readonly value: JsonObject; readonly endsAt: number }>();

  function get(key: string): JsonObject | undefined {
    const known = values.get(key);
    return known !== undefined && known.endsAt > now() ? known.value : undefined;
  }

  function forgetEnded(): void {
    for (const [key, { endsAt }] of values) {
      if (endsAt <= now()) {
        values.delete(key);
      }
    }
  }

  return {
    async keep(key, value, { ttlMs }) {
      const known = get(key);
      if (known !== undefined) {
        return known;
      }
      if (values.size >= MAX_VALUES) {
        forgetEnded();
      }
      if (values.size >= MAX_VALUES) {
        throw new PublicError(
          'approval_unavailable',
          'Nothing was done: too much waits for approval. Try again in a few minutes.',
        );
      }
      values.set(key, { value, endsAt: now() + ttlMs });
      return value;
    },
    get: async (key) => get(key),
    async forget(key) {
      values.delete(key);
    },
  };
}
