import { rateLimiterContract } from '@mcp-parts/tool-kit/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createRateLimiter } from './rate-limiter.ts';

describe('the rate limiter of a process', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each(rateLimiterContract)('$name', async ({ run }) => {
    await run({
      limiter: createRateLimiter(),
      wait: async (milliseconds) => void (await vi.advanceTimersByTimeAsync(milliseconds)),
    });
    expect.assertions(0);
  });

  it('keeps nothing of a key whose minute is over', async () => {
    const limiter = createRateLimiter();
    await limiter.consume('a', { perMinute: 1, weight: 1 });
    await limiter.consume('a', { perMinute: 1, weight: 1 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never asks anybody to wait for more than a minute, also when the clock is set back', async () => {
    const limiter = createRateLimiter();
    await limiter.consume('a', { perMinute: 1, weight: 1 });
    vi.setSystemTime(Date.now() - 7_200_000);
    const refused = await limiter.consume('a', { perMinute: 1, weight: 1 });
    expect(refused).toMatchObject({ allowed: false });
    expect(refused.allowed ? 0 : refused.retryAfterMs).toBeLessThanOrEqual(60_000);
    vi.advanceTimersByTime(60_000);
    expect(await limiter.consume('a', { perMinute: 1, weight: 1 })).toEqual({ allowed: true });
  });
});
