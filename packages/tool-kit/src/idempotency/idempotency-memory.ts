import { encodeJson } from '../encoded-json.ts';
import { PublicError } from '../errors.ts';
import { createBoundedMemory } from '../limits/bounded-memory.ts';
import type { IdempotencyStore, RepeatableCall } from '../ports.ts';

interface Known {
  readonly call: RepeatableCall;
  readonly owner: string | undefined;
  readonly endsAt: number;
  readonly leaseEndsAt: number;
}

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
export function createIdempotencyMemory(now: () => number = () => performance.now()): IdempotencyStore {
  const calls = createBoundedMemory<Known>(BOUNDS, now);
  /** A key is taken as long as its window lasts, and as the call that runs is renewed. */
  const put = (key: string, known: Known, bytes = 0) => {
    const ttlMs = Math.max(known.endsAt, known.leaseEndsAt) - now();
    return calls.put(key, known, { ttlMs, owner: known.owner, bytes });
  };
  const isHeldBy = (known: Known | undefined, { holder }: Pick<RepeatableCall, 'holder'>) =>
    known?.call.holder === holder;

  return {
    async claim(key, call, { ttlMs, leaseMs, owner }) {
      const known = calls.get(key);
      if (known !== undefined) {
        const isLost = known.call.state === 'running' && known.leaseEndsAt <= now();
        return isLost ? { ...known.call, state: 'unknown' } : known.call;
      }
      if (!put(key, { call, owner, endsAt: now() + ttlMs, leaseEndsAt: now() + leaseMs })) {
        throw new PublicError(
          'idempotency_unavailable',
          'Nothing was done: too many calls are remembered. Try again in a few minutes.',
        );
      }
      return undefined;
    },
    async renew(key, call, { leaseMs }) {
      const known = calls.get(key);
      if (known !== undefined && isHeldBy(known, call)) {
        put(key, { ...known, leaseEndsAt: now() + leaseMs });
      }
    },
    async keep(key, call, { ttlMs, owner }) {
      const known = calls.get(key);
      if (known !== undefined && !isHeldBy(known, call)) {
        return;
      }
      const times = { owner, endsAt: now() + ttlMs, leaseEndsAt: 0 };
      if (!put(key, { ...times, call }, sizeOf(call))) {
        put(key, { ...times, call: call.state === 'done' ? { ...call, result: FORGOTTEN } : call });
      }
    },
    async release(key, call) {
      if (isHeldBy(calls.get(key), call)) {
        calls.delete(key);
      }
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
