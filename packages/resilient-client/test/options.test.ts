import { describe, expect, it } from 'vitest';

import {
  createClient,
  createClientCredentials,
  createTokenExchange,
  defineEndpoint,
  type CallPolicyOptions,
  type ClientOptions,
  type TokenExchangeOptions,
} from '../src/index.ts';
import { createTestClock, createTestRandom, reply } from '../src/testing/index.ts';
import { readThing } from './things.ts';

const client = (options: Partial<ClientOptions>) =>
  createClient({ name: 'thing service', baseUrl: 'https://things.example', ...options });
const policyOfClient = (policy: CallPolicyOptions) => client({ policy });
const policyOfEndpoint = (policy: CallPolicyOptions) => defineEndpoint({ ...readThing, policy });
const signIn = { tokenUrl: 'https://login.example/token', clientId: 'deployer', clientSecret: () => 's' };
const credentials = (options: Partial<TokenExchangeOptions>) =>
  createClientCredentials({ ...signIn, ...options });
const exchange = (options: Partial<TokenExchangeOptions>) => createTokenExchange({ ...signIn, ...options });

const big = 2 ** 31;
/** What no numeric option takes, unless the table says so. */
const bad = [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, big, '5'];

/** An option's name, who takes it, and which of those values make sense for it. */
type Row = readonly [name: string, make: (value: number) => unknown, accepted?: readonly unknown[]];

const policyRows: readonly Row[] = [policyOfClient, policyOfEndpoint].flatMap((make): Row[] => [
  ['policy.deadlineMs', (deadlineMs) => make({ deadlineMs })],
  ['policy.attemptTimeoutMs', (attemptTimeoutMs) => make({ attemptTimeoutMs })],
  ['policy.maxResponseBytes', (maxResponseBytes) => make({ maxResponseBytes }), [big]],
  ['policy.retry.maxRetries', (maxRetries) => make({ retry: { maxRetries } })],
  ['policy.retry.baseDelayMs', (baseDelayMs) => make({ retry: { baseDelayMs } })],
  ['policy.retry.maxDelayMs', (maxDelayMs) => make({ retry: { maxDelayMs } })],
  ['policy.retry.maxRetryAfterMs', (maxRetryAfterMs) => make({ retry: { maxRetryAfterMs } })],
  ['policy.breaker.failures', (failures) => make({ breaker: { failures } }), [big]],
  ['policy.breaker.openMs', (openMs) => make({ breaker: { openMs } })],
  [
    'policy.breaker.rate.percent',
    (percent) => make({ breaker: { rate: { percent, minCalls: 1, windowMs: 60_000 } } }),
    [0.5],
  ],
  [
    'policy.breaker.rate.minCalls',
    (minCalls) => make({ breaker: { rate: { percent: 50, minCalls, windowMs: 60_000 } } }),
    [big],
  ],
  [
    'policy.breaker.rate.windowMs',
    (windowMs) => make({ breaker: { rate: { percent: 50, minCalls: 1, windowMs } } }),
    [big],
  ],
  ['policy.hedge.afterMs', (afterMs) => make({ hedge: { afterMs } })],
  ['policy.hedge.afterPercentile', (afterPercentile) => make({ hedge: { afterPercentile } })],
]);

const rows: readonly Row[] = [
  ...policyRows,
  ['connectTimeoutMs', (connectTimeoutMs) => client({ connectTimeoutMs })],
  ['connectionTtlMs', (connectionTtlMs) => client({ connectionTtlMs })],
  ['bulkhead.concurrency', (concurrency) => client({ bulkhead: { concurrency } }), [big]],
  ['bulkhead.queue', (queue) => client({ bulkhead: { queue } }), [big]],
  ['retryBudget.ratio', (ratio) => client({ retryBudget: { ratio } }), [0.5]],
  ['retryBudget.windowMs', (windowMs) => client({ retryBudget: { windowMs } })],
  ['retryBudget.minRetries', (minRetries) => client({ retryBudget: { minRetries } }), [big]],
  ...[credentials, exchange].flatMap((make): Row[] => [
    ['timeoutMs', (timeoutMs) => make({ timeoutMs })],
    ['skewMs', (skewMs) => make({ skewMs })],
  ]),
  ['maxSubjects', (maxSubjects) => exchange({ maxSubjects }), [big]],
  ['startAt', (startAt) => createTestClock(startAt), [0.5, big]],
  ['byMs', (byMs) => createTestClock().advance(byMs), [0.5, big]],
  ['random', (value) => createTestRandom(value), [0.5]],
  ['status', (status) => reply(status)],
];

describe('numbers that make no sense', () => {
  const cases = rows.flatMap(([name, make, accepted = []]) =>
    bad.map((value) => ({ name, make, value, isAccepted: accepted.includes(value) })),
  );

  it.each(cases.filter(({ isAccepted }) => !isAccepted))(
    'are refused by the name of the option: $name = $value',
    ({ name, make, value }) => {
      // A number, as it may come from JavaScript.
      expect(() => make(value as number)).toThrow(
        expect.objectContaining({
          name: expect.stringMatching(/^(RangeError|TypeError)$/),
          message: expect.stringMatching(new RegExp(`^${name} must be .*, got ${value}$`)),
        }),
      );
    },
  );

  it.each(cases.filter(({ isAccepted }) => isAccepted))('are not $name = $value', ({ make, value }) => {
    expect(() => make(value as number)).not.toThrow();
  });
});

describe('options that are undefined', () => {
  it('count as left out, at every depth', () => {
    const none = undefined;
    const policy = { deadlineMs: none, retry: { maxRetries: none }, breaker: none, hedge: none };
    expect(() => client({ policy, bulkhead: { queue: none }, retryBudget: { ratio: none } })).not.toThrow();
    expect(() => exchange({ timeoutMs: none, skewMs: none, maxSubjects: none })).not.toThrow();
  });
});

describe('texts that make no sense', () => {
  it.each([
    ['name must be what people call the upstream, got ""', () => client({ name: '' })],
    ['clientId must be a string that is not empty, got ""', () => credentials({ clientId: '' })],
    ['deadlineHeader must be the name of a header, got "a b"', () => client({ deadlineHeader: 'a b' })],
  ])('are refused: %s', (message, make) => {
    expect(make).toThrow(new TypeError(message));
  });
});
