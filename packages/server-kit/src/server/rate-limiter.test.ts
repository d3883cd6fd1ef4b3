import { describe, expect, it } from 'vitest';

import { createRateLimiter } from './rate-limiter.ts';

describe('createRateLimiter', () => {
  it('allows so many calls and then says how long to wait', async () => {
    const limiter = createRateLimiter({ rateLimitPerMinute: 2 });
    expect(await limiter.consume('a')).toEqual({ allowed: true });
    expect(await limiter.consume('a')).toEqual({ allowed: true });
    expect(await limiter.consume('a')).toEqual({
      allowed: false,
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 60_000),
    });
  });

  it('counts each caller for itself', async () => {
    const limiter = createRateLimiter({ rateLimitPerMinute: 1 });
    await limiter.consume('a');
    expect(await limiter.consume('b')).toEqual({ allowed: true });
  });

  it.each([Number.NaN, 0, -1, 0.5, Infinity, 2 ** 31])(
    'refuses %s calls per minute',
    (rateLimitPerMinute) => {
      expect(() => createRateLimiter({ rateLimitPerMinute })).toThrow(
        new RangeError(
          `rateLimitPerMinute must be a whole number from 1 to 1000000, got ${rateLimitPerMinute}`,
        ),
      );
    },
  );
});
