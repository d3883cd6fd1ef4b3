import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { callerLimit, never } from '../../test/fixtures.ts';
import { denies, echo, run, secret, write, type Setup } from '../../test/run-echo.ts';
import { PublicError } from '../errors.ts';
import type { AuditOutcome } from '../ports.ts';

const aborted = AbortSignal.abort(new Error('gone'));

interface Exit extends Setup {
  readonly exit: string;
  readonly result: AuditOutcome['result'];
  readonly reason?: string | undefined;
  /** Whether the words for the model send it to look before it repeats the call. */
  readonly isUncertain?: boolean | undefined;
}

const exits: readonly Exit[] = [
  { exit: 'an answer', operation: echo(), result: 'success' },
  {
    exit: 'an answer that reports a failure',
    operation: echo({ isFailure: () => true }),
    result: 'failure',
    reason: 'reported_failure',
  },
  { exit: 'an unknown target', operation: undefined, result: 'denied', reason: 'unknown_target' },
  {
    exit: 'a hidden target',
    operation: echo({ permission: 'things:other' }),
    result: 'denied',
    reason: 'missing_permission',
  },
  {
    exit: 'an invalid input',
    operation: echo({ arguments: { text: 7 } }),
    result: 'failure',
    reason: 'invalid_input',
  },
  {
    exit: 'an input schema that throws',
    operation: echo({
      input: z.object({ text: z.string() }).refine(() => {
        throw new Error(secret);
      }),
    }),
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a missing permission',
    operation: echo({ permission: { anyOf: ['things:read'], select: () => 'things:write' } }),
    result: 'denied',
    reason: 'missing_permission',
  },
  ...(['missing_scope', 'missing_group', 'unavailable'] as const).map((reason): Exit => ({
    exit: `the denial ${reason}`,
    operation: echo(),
    options: { authorizer: denies(reason) },
    result: 'denied',
    reason,
  })),
  {
    exit: 'an authorizer that throws',
    operation: echo(),
    options: {
      authorizer: {
        decide: () => {
          throw new Error(secret);
        },
      },
    },
    result: 'denied',
    reason: 'unavailable',
  },
  {
    exit: 'an authorizer that never answers',
    operation: write({ deadlineMs: 1 }),
    options: { authorizer: { decide: never } },
    result: 'failure',
    reason: 'deadline_exceeded',
  },
  {
    exit: 'too many calls',
    operation: echo(),
    options: callerLimit(() => Promise.resolve({ allowed: false, retryAfterMs: 1500 })),
    result: 'denied',
    reason: 'rate_limited',
  },
  {
    exit: 'a rate limiter that throws',
    operation: write(),
    options: callerLimit(() => Promise.reject(new Error(secret))),
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a rate limiter that never answers',
    operation: write({ deadlineMs: 1 }),
    options: callerLimit(never),
    result: 'failure',
    reason: 'deadline_exceeded',
  },
  {
    exit: 'too many calls of one tool',
    operation: write({ limit: { perMinute: 5 } }),
    options: { rateLimiter: { consume: () => ({ allowed: false, retryAfterMs: 1500 }) } },
    result: 'denied',
    reason: 'rate_limited',
  },
  {
    exit: 'too many calls at once',
    operation: write({ limit: { concurrent: 1 } }),
    options: { rateLimiter: { consume: never, enter: () => undefined } },
    result: 'denied',
    reason: 'concurrency_limited',
  },
  {
    exit: 'a limiter of running calls that throws',
    operation: write({ limit: { concurrent: 1 } }),
    options: { rateLimiter: { consume: never, enter: () => Promise.reject(new Error(secret)) } },
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a limiter of running calls that never answers',
    operation: write({ limit: { concurrent: 1 }, deadlineMs: 1 }),
    options: { rateLimiter: { consume: never, enter: never } },
    result: 'failure',
    reason: 'deadline_exceeded',
  },
  {
    exit: 'a hook that refuses',
    operation: write(),
    options: {
      hooks: [
        () => {
          throw new PublicError('frozen', 'Changes are frozen until Monday.');
        },
      ],
    },
    result: 'failure',
    reason: 'frozen',
  },
  {
    exit: 'a hook that answers in place of the handler',
    operation: write({ run: never }),
    options: { hooks: [async () => ({ text: 'from a cache' })] },
    result: 'success',
  },
  {
    exit: 'a hook that throws after the change',
    operation: write(),
    options: {
      hooks: [
        async (_call, next) => {
          await next();
          throw new Error(secret);
        },
      ],
    },
    result: 'unknown',
    reason: 'internal',
    isUncertain: true,
  },
  {
    exit: 'a hook that throws before the change',
    operation: write(),
    options: {
      hooks: [
        () => {
          throw new Error(secret);
        },
      ],
    },
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a read that throws',
    operation: echo({ run: () => Promise.reject(new Error(secret)) }),
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a write that throws',
    operation: write({ run: () => Promise.reject(new Error(secret)) }),
    result: 'unknown',
    reason: 'internal',
    isUncertain: true,
  },
  {
    exit: 'a handler that throws before its first await',
    operation: echo({
      run: () => {
        throw new Error(secret);
      },
    }),
    result: 'failure',
    reason: 'internal',
  },
  {
    exit: 'a failure in public words',
    operation: write({ run: () => Promise.reject(new PublicError('backend_unavailable', 'Try later.')) }),
    result: 'failure',
    reason: 'backend_unavailable',
  },
  {
    exit: 'a read past its deadline',
    operation: echo({ deadlineMs: 1, run: never }),
    result: 'failure',
    reason: 'deadline_exceeded',
  },
  {
    exit: 'a write past its deadline',
    operation: write({ deadlineMs: 1, run: never }),
    result: 'unknown',
    reason: 'deadline_exceeded',
    isUncertain: true,
  },
  {
    exit: 'a write that was cancelled before it began',
    operation: write(),
    request: { signal: aborted },
    result: 'failure',
    reason: 'cancelled',
  },
  {
    exit: 'a read with too large an answer',
    operation: echo(),
    options: { maxOutputBytes: 5 },
    result: 'failure',
    reason: 'output_too_large',
  },
  {
    exit: 'a write with too large an answer',
    operation: write(),
    options: { maxOutputBytes: 5 },
    result: 'success',
    reason: 'output_too_large',
  },
  {
    exit: 'a write that failed, with too large an answer',
    operation: write({ isFailure: () => true }),
    options: { maxOutputBytes: 5 },
    result: 'failure',
    reason: 'output_too_large',
  },
  {
    exit: 'a write whose answer is not JSON',
    operation: write({ run: () => Promise.resolve({ text: 1n as unknown as string }) }),
    result: 'success',
    reason: 'output_invalid',
  },
  {
    exit: 'a write whose answer cannot be put into words',
    operation: write({
      respond: () => {
        throw new Error(secret);
      },
    }),
    result: 'success',
    reason: 'output_invalid',
  },
  {
    exit: 'a read whose answer cannot be put into words',
    operation: echo({
      respond: () => {
        throw new Error(secret);
      },
    }),
    result: 'failure',
    reason: 'output_invalid',
  },
  {
    exit: 'a request that is malformed',
    operation: undefined,
    malformed: '"name" must be a string.',
    result: 'failure',
    reason: 'malformed_request',
  },
];

describe.each(exits)('$exit', ({ result, reason, isUncertain = false, ...setup }) => {
  it('is one intent, one outcome and one measurement', async () => {
    const { intents, outcomes, measurements } = await run(setup);

    expect(intents).toHaveLength(1);
    expect(outcomes).toEqual([{ result, reason, durationMs: expect.any(Number) }]);
    expect(measurements).toEqual([
      {
        method: 'tools/call',
        target: setup.operation?.name ?? '_other',
        era: '2026',
        transport: 'http',
        ...outcomes[0],
      },
    ]);
  });

  it('shows the model nothing of the inside', async () => {
    const answer = JSON.stringify((await run(setup)).result);

    expect(answer).not.toMatch(/hunter2|db\.internal|\/srv|Error/u);
    expect(answer.includes('may or may not have taken effect')).toBe(isUncertain);
  });
});
