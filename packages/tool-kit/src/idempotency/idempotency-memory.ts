import { PublicError } from '../errors.ts';
import type { IdempotencyStore, RepeatableCall } from '../ports.ts';

/** Each holds an answer of a tool. */
const MAX_CALLS = 10_000;

/** Remembers in this process what was called, and what it gave. */
export function createIdempotencyMemory(now: () => number = Date.now): IdempotencyStore {
  const calls = new Map<string, { readonly call: RepeatableCall; readonly endsAt: number }>();

  function forget(): void {
    for (const [key, { endsAt }] of calls) {
      if (endsAt <= now()) {
        calls.delete(key);
      }
    }
  }

  return {
    async claim(key, call, { ttlMs }) {
      const known = calls.get(key);
      if (known !== undefined && known.endsAt > now()) {
        return known.call;
      }
      if (calls.size >= MAX_CALLS) {
        forget();
      }
      if (calls.size >= MAX_CALLS) {
        throw new PublicError(
          'idempotency_unavailable',
          'Nothing was done: too many calls are remembered. Try again in a few minutes.',
        );
      }
      calls.set(key, { call, endsAt: now() + ttlMs });
      return undefined;
    },
    async keep(key, call, { ttlMs }) {
      calls.set(key, { call, endsAt: now() + ttlMs });
    },
    async release(key) {
      calls.delete(key);
    },
  };
}
