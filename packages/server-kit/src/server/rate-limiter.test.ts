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
});
