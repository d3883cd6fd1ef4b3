import { describe, expect, it } from 'vitest';

import { idempotencyStoreContract } from '../testing.ts';
import { createIdempotencyMemory } from './idempotency-memory.ts';

describe('the memory of calls that may be repeated', () => {
  // oxlint-disable-next-line vitest/expect-expect -- The contract asserts.
  it.each(idempotencyStoreContract)('$name', async ({ run }) => {
    let now = 0;
    const wait = async (milliseconds: number) => {
      now += milliseconds;
    };
    await run({ store: createIdempotencyMemory(() => now), wait });
  });

  it('of one caller fills no room of others, and keeps no more answers than it may', async () => {
    const store = createIdempotencyMemory();
    const running = { state: 'running', fingerprint: 'f', upstreamKey: 'u', holder: 'h' } as const;
    const kept = (owner: string) => ({ ttlMs: 60_000, leaseMs: 60_000, owner });
    const mebibyte = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 4_000; count += 1) {
      await store.claim(`a${count}`, running, kept('ada'));
    }
    await expect(store.claim('more', running, kept('ada'))).rejects.toMatchObject({
      code: 'idempotency_unavailable',
    });
    expect(await store.claim('b', running, kept('bob'))).toBeUndefined();

    const done = {
      ...running,
      state: 'done',
      result: { content: [{ type: 'text', text: mebibyte }] },
    } as const;
    for (let count = 0; count < 20; count += 1) {
      await store.keep(`a${count}`, done, kept('ada'));
    }
    expect(await store.claim('a0', running, kept('ada'))).toEqual(done);
    expect(await store.claim('a19', running, kept('ada'))).toMatchObject({
      state: 'done',
      result: { isError: true, content: [{ text: expect.stringContaining('has taken effect') }] },
    });
  });
});
