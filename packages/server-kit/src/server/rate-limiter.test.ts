import { describe, expect, it } from 'vitest';

import { createRateLimiter } from './rate-limiter.ts';

describe('createRateLimiter', () => {
  it('allows so many calls and then says how long to wait', async () => {
    const limiter = createRateLimiter(2);
    expect(await limiter.consume('a')).toEqual({ allowed: true });
    expect(await limiter.consume('a')).toEqual({ allowed: true });
    expect(await limiter.consume('a')).toEqual({
      allowed: false,
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 60_000),
    });
  });

  it('counts each caller for itself', async () => {
    const limiter = createRateLimiter(1);
    await limiter.consume('a');
    expect(await limiter.consume('b')).toEqual({ allowed: true });
  });
});
