import { describe, expect, it } from 'vitest';

import { defaultPolicy, resolvePolicy } from './policy.ts';

describe('resolvePolicy', () => {
  it('overrides member by member, endpoint over client over default', () => {
    const client = resolvePolicy({ deadlineMs: 5_000, retry: { maxRetries: 1 } });
    const endpoint = resolvePolicy({ retry: { baseDelayMs: 50 } }, client);
    expect(endpoint).toEqual({
      ...defaultPolicy,
      deadlineMs: 5_000,
      retry: { ...defaultPolicy.retry, maxRetries: 1, baseDelayMs: 50 },
    });
  });

  it.each([
    ['policy.deadlineMs', { deadlineMs: 0 }],
    ['policy.attemptTimeoutMs', { attemptTimeoutMs: 2 ** 31 }],
    ['policy.retry.maxRetries', { retry: { maxRetries: Number.NaN } }],
    ['policy.retry.maxDelayMs', { retry: { baseDelayMs: 10, maxDelayMs: 9 } }],
    ['policy.breaker.failures', { breaker: { failures: 0 } }],
  ])('names %s when it is out of range', (name, options) => {
    expect(() => resolvePolicy(options)).toThrow(new RegExp(`^${name} must be a whole number`));
  });
});
