import { describe, expect, it, vi } from 'vitest';

import { createBatch } from './batch.ts';
import type { Reply } from './pending.ts';

describe('createBatch', () => {
  it('answers once, when every request has its answer or wants none any more', () => {
    const reply = vi.fn<Reply>();
    const batch = createBatch(reply);
    const [first, cancelled, last] = [batch.expect(), batch.expect(), batch.expect()];
    last({ id: 3 });
    batch.seal();
    cancelled();
    expect(reply).not.toHaveBeenCalled();
    first({ id: 1 });
    expect(reply.mock.calls).toEqual([[[{ id: 3 }, { id: 1 }]]]);
  });

  it('has no answer where nothing wants one', () => {
    const reply = vi.fn<Reply>();
    createBatch(reply).seal();
    expect(reply).not.toHaveBeenCalled();
  });
});
