import { describe, it } from 'vitest';

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
});
