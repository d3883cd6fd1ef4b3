import { describe, expect, it } from 'vitest';

import { defaultCallPolicy, resolveCallPolicyOptions } from './call-policy.ts';

describe('resolveCallPolicyOptions', () => {
  it('overrides member by member, endpoint over client over default', () => {
    const client = resolveCallPolicyOptions({ deadlineMs: 5_000, retry: { maxRetries: 1 } });
    const endpoint = resolveCallPolicyOptions({ retry: { baseDelayMs: 50 } }, client);
    expect(endpoint).toEqual({
      ...defaultCallPolicy,
      deadlineMs: 5_000,
      retry: { ...defaultCallPolicy.retry, maxRetries: 1, baseDelayMs: 50 },
    });
  });

  it.each([
    ['policy.deadlineMs', { deadlineMs: 0 }],
    ['policy.attemptTimeoutMs', { attemptTimeoutMs: 2 ** 31 }],
    ['policy.retry.maxRetries', { retry: { maxRetries: Number.NaN } }],
    ['policy.retry.maxDelayMs', { retry: { baseDelayMs: 10, maxDelayMs: 9 } }],
    ['policy.breaker.failures', { breaker: { failures: 0 } }],
    [
      'policy.breaker.rate.windowMs',
      { attemptTimeoutMs: 5_000, breaker: { rate: { percent: 50, minCalls: 1, windowMs: 9_999 } } },
    ],
    ['policy.breaker.rate.minCalls', { breaker: { rate: { percent: 50, minCalls: 0, windowMs: 60_000 } } }],
    ['policy.hedge.afterMs', { hedge: { afterMs: 0 } }],
  ])('names %s when it is out of range', (name, options) => {
    expect(() => resolveCallPolicyOptions(options)).toThrow(new RegExp(`^${name} must be a whole number`));
  });

  it.each([
    ['policy.breaker.rate.percent', { breaker: { rate: { percent: 0, minCalls: 1, windowMs: 60_000 } } }],
    ['policy.hedge.afterPercentile', { hedge: { afterPercentile: Number.NaN } }],
  ])('names %s when it is no number in range', (name, options) => {
    expect(() => resolveCallPolicyOptions(options)).toThrow(new RegExp(`^${name} must be a number`));
  });

  it('lets an endpoint switch off what its client has on', () => {
    const client = resolveCallPolicyOptions({ hedge: { afterMs: 100 } });
    expect(resolveCallPolicyOptions({ hedge: false }, client).hedge).toBe(false);
  });
});
