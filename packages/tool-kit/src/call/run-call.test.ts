import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { aCaller, aRequest, callerLimit, never, recordingPorts } from '../../test/fixtures.ts';
import { denies, echo, prepared, run, secret, write, type Echo, type Setup } from '../../test/run-echo.ts';
import { PublicError } from '../errors.ts';
import type { AuditEntry, AuditTrail, Authorizer, RateLimiter } from '../ports.ts';
import type { Hook } from './hook.ts';
import { resolvePipelineOptions } from './pipeline-options.ts';
import { runCall } from './run-call.ts';

describe('what the model cannot tell apart', () => {
  it('gives a hidden target the same words as an unknown one, and only the trail its reason', async () => {
    const hidden = await run({ operation: echo({ permission: 'things:other' }) });
    const unknown = await run({ operation: undefined });

    expect(unknown.result).toMatchObject({ failure: { kind: 'unknown_target', code: 'unknown_target' } });
    expect(hidden.result).toEqual({
      ...unknown.result,
      failure: {
        ...('failure' in unknown.result ? unknown.result.failure : undefined),
        code: 'missing_permission',
      },
    });
  });

  it('does not validate the arguments of a hidden target', async () => {
    const { result } = await run({ operation: echo({ permission: 'things:other', arguments: 'nonsense' }) });

    expect(result).toMatchObject({ failure: { kind: 'unknown_target' } });
  });
});

describe('authorization', () => {
  it('asks for the permission that the parsed input selects', async () => {
    const decide = vi.fn<Authorizer['decide']>(() => ({ allowed: true, rule: 'test' }));
    const operation = echo({
      input: z.object({ text: z.string().toLowerCase() }),
      arguments: { text: 'READ' },
      permission: { anyOf: ['things:read'], select: ({ text }) => `things:${text}` },
    });

    await run({ operation, options: { authorizer: { decide } } });

    expect(decide).toHaveBeenCalledExactlyOnceWith(aCaller(), 'things:read', expect.anything());
    expect(decide.mock.lastCall?.[2].signal).toBeInstanceOf(AbortSignal);
  });

  it('does not run what was denied, and names the permission and the reference', async () => {
    const handler = vi.fn<Echo['run']>(never);
    const { result } = await run({
      operation: echo({ run: handler }),
      options: { authorizer: denies('missing_permission') },
    });

    expect(handler).not.toHaveBeenCalled();
    expect(result).toMatchObject({ failure: { message: expect.stringContaining('"things:read"') } });
    expect(result).toMatchObject({ failure: { message: expect.stringContaining('reference-1') } });
  });

  it('logs why it could not decide', async () => {
    const cause = new Error('directory down');
    const { logged } = await run({
      operation: echo(),
      options: { authorizer: { decide: () => Promise.reject(cause) } },
    });

    expect(logged).toEqual([
      {
        level: 'error',
        message: 'authorization not decided',
        fields: { err: cause, correlationId: 'reference-1' },
      },
    ]);
  });
});

describe('the rate limit', () => {
  const full = { consume: () => ({ allowed: false, retryAfterMs: 1_000 }) as const };

  it.each([
    ['arguments that do not parse', { operation: echo({ arguments: { txt: 'x' } }) }],
    ['an unknown target', { operation: undefined }],
    ['a hidden target', { operation: echo({ permission: 'things:other' }) }],
    ['a malformed request', { operation: undefined, malformed: 'no' }],
    ['what the policy denies', { operation: echo(), options: { authorizer: denies('missing_group') } }],
    ['a list', { operation: echo({ audited: 'refusals' }) }],
  ])('comes before everything, and counts %s', async (_what, setup: Setup) => {
    const consume = vi.fn<RateLimiter['consume']>(() => ({ allowed: true }));
    const decide = vi.fn<Authorizer['decide']>(() => ({ allowed: true, rule: 'test' }));
    await run({ ...setup, options: { ...setup.options, ...callerLimit(consume) } });
    const { result } = await run({
      ...setup,
      options: { authorizer: { decide }, ...callerLimit(full.consume) },
    });

    expect(consume).toHaveBeenCalledExactlyOnceWith('caller:issuer#ada', {
      perMinute: 100,
      weight: 1,
    });
    expect(decide).not.toHaveBeenCalled();
    expect(result).toMatchObject({ failure: { kind: 'limited', code: 'rate_limited' } });
  });
});

describe('hooks', () => {
  it('run around the handler, the first one outermost, on what it is given', async () => {
    const order: string[] = [];
    const hook =
      (name: string): Hook =>
      async ({ method, name: tool, readOnly, input, context }, next) => {
        order.push(`${name} ${method} ${tool} ${readOnly} ${JSON.stringify(input)} ${context.caller.id}`);
        const output = await next();
        order.push(name);
        return output;
      };
    const { result } = await run({
      operation: echo({
        input: z.object({ text: z.string().toUpperCase() }),
        run: (input) => {
          order.push('handler');
          return Promise.resolve(input);
        },
      }),
      options: { hooks: [hook('a'), hook('b')] },
    });

    expect(result).toMatchObject({ result: { text: 'HELLO' } });
    expect(order).toEqual([
      'a tools/call echo true {"text":"HELLO"} issuer#ada',
      'b tools/call echo true {"text":"HELLO"} issuer#ada',
      'handler',
      'b',
      'a',
    ]);
  });

  it.each([
    ['in public words', new PublicError('frozen', 'Not this week.'), { result: 'failure', reason: 'frozen' }],
    ['by a fault', new Error(secret), { result: 'failure', reason: 'internal' }],
  ])('refuse a change %s before it begins, which is certain and recorded', async (_how, error, outcome) => {
    const handler = vi.fn<Echo['run']>(never);
    const { result, outcomes } = await run({
      operation: write({ run: handler }),
      options: { hooks: [() => Promise.reject(error)] },
    });

    expect(handler).not.toHaveBeenCalled();
    expect(outcomes).toMatchObject([outcome]);
    expect(JSON.stringify(result)).not.toMatch(/hunter2|may or may not/u);
  });

  it('that throw once a change has begun leave it uncertain', async () => {
    const hook: Hook = async (_call, next) => {
      await next();
      throw new Error(secret);
    };
    const { outcomes } = await run({ operation: write(), options: { hooks: [hook] } });

    expect(outcomes).toMatchObject([{ result: 'unknown', reason: 'internal' }]);
  });

  it('are held to the deadline of the call', async () => {
    const { outcomes } = await run({
      operation: echo({ deadlineMs: 1 }),
      options: { hooks: [() => never()] },
    });

    expect(outcomes).toMatchObject([{ reason: 'deadline_exceeded' }]);
  });

  it('see no call that was refused', async () => {
    const hook = vi.fn<Hook>((_call, next) => next());
    await run({ operation: echo(), options: { hooks: [hook], authorizer: denies('missing_group') } });
    await run({ operation: echo({ arguments: {} }), options: { hooks: [hook] } });

    expect(hook).not.toHaveBeenCalled();
  });
});

describe('a prepared call', () => {
  it('limits, parses and decides once, however often it is asked before it runs', async () => {
    const parse = vi.fn<(text: string) => string>((text) => text);
    const decide = vi.fn<Authorizer['decide']>(() => ({ allowed: true, rule: 'test' }));
    const consume = vi.fn<RateLimiter['consume']>(() => ({ allowed: true }));
    const { call, request, measurements, intents } = prepared({
      operation: echo({ input: z.object({ text: z.string().transform(parse) }) }),
      options: { authorizer: { decide }, ...callerLimit(consume) },
    });

    expect(await call.denial()).toBeUndefined();
    expect(await call.denial()).toBeUndefined();
    expect(await call.run(request)).toMatchObject({ ok: true });
    expect([parse, decide, consume].map((mock) => mock.mock.calls.length)).toEqual([1, 1, 1]);
    expect([intents.length, measurements.length]).toEqual([1, 1]);
  });

  it('tells what the policy refuses, and ends as a refusal of the transport', async () => {
    const { call, request, intents, outcomes, measurements } = prepared({
      operation: echo(),
      options: { authorizer: { decide: () => ({ allowed: false, reason: 'missing_scope', rule: 'a:1' }) } },
    });

    expect(await call.denial()).toEqual({
      permission: 'things:read',
      decision: { allowed: false, reason: 'missing_scope', rule: 'a:1' },
    });
    await call.refuse(request, 'insufficient_scope');
    expect(intents).toMatchObject([{ target: 'echo', resource: 'things/hello', rule: 'a:1' }]);
    expect(outcomes).toMatchObject([{ result: 'denied', reason: 'insufficient_scope' }]);
    expect(measurements).toMatchObject([{ target: 'echo', reason: 'insufficient_scope' }]);
  });

  it.each([
    ['an unknown target', { operation: undefined }],
    ['arguments that do not parse', { operation: echo({ arguments: {} }) }],
    ['a rate limit that throws', { operation: echo(), options: callerLimit(never) }],
  ])('has no denial to tell for %s, and answers it when it runs', async (_what, setup) => {
    const client = AbortSignal.abort();
    const { call, request, outcomes } = prepared({ ...setup, request: { signal: client } });

    expect(await call.denial()).toBeUndefined();
    expect(await call.run(request)).toMatchObject({ ok: false });
    expect(outcomes).toHaveLength(1);
  });

  it('is interrupted by the signal that it was prepared with and by the one that it runs with', async () => {
    for (const which of ['prepared', 'run'] as const) {
      const client = new AbortController();
      const { call, request } = prepared({
        operation: echo({ run: never }),
        ...(which === 'prepared' && { request: { signal: client.signal } }),
      });
      const running = call.run(which === 'run' ? { ...request, signal: client.signal } : request);
      client.abort();

      expect(await running).toMatchObject({ failure: { code: 'cancelled' } });
    }
  });
});

describe('the audit trail', () => {
  const failing = { begin: vi.fn<AuditTrail['begin']>(() => Promise.reject(new Error(secret))) };

  it('does nothing when a write cannot be recorded', async () => {
    const handler = vi.fn<Echo['run']>(never);
    const begin = vi.fn<AuditTrail['begin']>(() => Promise.reject(new Error(secret)));
    const { result, measurements } = await run({
      operation: write({ run: handler }),
      options: { audit: { begin } },
    });

    expect(handler).not.toHaveBeenCalled();
    expect(begin).toHaveBeenCalledOnce();
    expect(result).toMatchObject({ ok: false, failure: { kind: 'not_recorded', code: 'audit_unavailable' } });
    expect(measurements).toMatchObject([{ result: 'failure', reason: 'audit_unavailable' }]);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('goes on with a read that cannot be recorded', async () => {
    const { result, logged } = await run({ operation: echo(), options: { audit: failing } });

    expect(result).toEqual({ ok: true, result: { text: 'hello' }, isFailure: false });
    expect(logged).toMatchObject([{ level: 'error', message: 'audit intent not recorded' }]);
  });

  it.each([
    { onUnavailable: 'deny', kind: 'read', runs: false },
    { onUnavailable: 'deny', kind: 'write', runs: false },
    { onUnavailable: 'allow-reads', kind: 'read', runs: true },
    { onUnavailable: 'allow-reads', kind: 'write', runs: false },
    { onUnavailable: 'allow', kind: 'read', runs: true },
    { onUnavailable: 'allow', kind: 'write', runs: true },
  ] as const)('that is unavailable, with $onUnavailable: a $kind runs: $runs', async (example) => {
    const { onUnavailable, kind, runs } = example;
    const handler = vi.fn<Echo['run']>((input) => Promise.resolve(input));
    const { result, measurements } = await run({
      operation: echo({ readOnly: kind === 'read', run: handler, onUnavailable }),
      options: { audit: failing },
    });

    expect(handler).toHaveBeenCalledTimes(runs ? 1 : 0);
    expect(result).toMatchObject(runs ? { ok: true } : { ok: false, failure: { kind: 'not_recorded' } });
    expect(measurements).toMatchObject([runs ? { result: 'success' } : { reason: 'audit_unavailable' }]);
  });

  it('does not try to record a read twice when its handler fails too', async () => {
    const begin = vi.fn<AuditTrail['begin']>(() => Promise.reject(new Error('disk full')));
    await run({
      operation: echo({ run: () => Promise.reject(new Error('also down')) }),
      options: { audit: { begin } },
    });

    expect(begin).toHaveBeenCalledOnce();
  });

  it('gives the answer when the outcome cannot be recorded', async () => {
    const finish = vi.fn<AuditEntry['finish']>(() => Promise.reject(new Error('disk full')));
    const { result, logged, measurements } = await run({
      operation: write(),
      options: { audit: { begin: () => Promise.resolve({ finish }) } },
    });

    expect(finish).toHaveBeenCalledOnce();
    expect(result).toMatchObject({ ok: true });
    expect(logged).toMatchObject([{ level: 'error', message: 'audit outcome not recorded' }]);
    expect(measurements).toHaveLength(1);
  });

  it('keeps what the handler did behind the server, however the call ends', async () => {
    const upstreamCall = {
      upstream: 'deployment API',
      endpoint: 'deployments.get',
      outcome: 'timeout',
      attempts: 3,
      durationMs: 12,
    };
    const { outcomes, measurements } = await run({
      operation: echo({
        run: (_input, { onUpstreamCall }) => {
          onUpstreamCall(upstreamCall);
          return Promise.reject(new Error('no answer'));
        },
      }),
    });

    expect(outcomes).toMatchObject([{ result: 'failure', upstreamCalls: [upstreamCall] }]);
    expect(measurements[0]).not.toHaveProperty('upstreamCalls');
  });

  it.each([
    { asOf: Date.now() - 60_000, least: 60_000 },
    { asOf: Date.now() + 60_000, least: 0 },
  ])('says how old the groups of the caller were: $least ms', async ({ asOf, least }) => {
    const { intents } = await run({ operation: echo(), request: { caller: aCaller({ groupsAsOf: asOf }) } });

    expect(intents[0]?.directoryAgeMs).toBeGreaterThanOrEqual(least);
    expect(intents[0]?.directoryAgeMs).toBeLessThan(least + 60_000);
  });

  it('says nothing of groups that nobody asked a directory for', async () => {
    expect((await run({ operation: echo() })).intents[0]?.directoryAgeMs).toBeUndefined();
  });

  it('is durable before the handler starts', async () => {
    const order: string[] = [];
    const recorded = Promise.withResolvers<void>();
    const running = run({
      operation: write({
        run: (input) => {
          order.push('handler');
          return Promise.resolve(input);
        },
      }),
      options: {
        audit: {
          async begin() {
            await recorded.promise;
            order.push('recorded');
            return { finish: () => Promise.resolve() };
          },
        },
      },
    });
    recorded.resolve();
    await running;

    expect(order).toEqual(['recorded', 'handler']);
  });

  it('holds who, what and only the details that the definition allows', async () => {
    const { intents } = await run({
      operation: write({
        audit: () => ({ resource: 'things/1', arguments: { safe: true }, urgent: true }),
      }),
      request: {
        caller: aCaller({ email: 'ada@example.org', displayName: 'Ada', groups: ['g'] }),
        client: { name: 'a client', version: '1' },
        sourceAddress: '127.0.0.1',
      },
    });

    expect(intents).toEqual([
      {
        actor: {
          id: 'issuer#ada',
          kind: 'user',
          displayName: 'Ada',
          email: 'ada@example.org',
          groups: ['g'],
        },
        action: 'tools/call',
        target: 'echo',
        resource: 'things/1',
        arguments: { safe: true },
        correlationId: 'reference-1',
        transport: 'http',
        era: '2026',
        client: { name: 'a client', version: '1' },
        sourceAddress: '127.0.0.1',
        rule: 'caller.permissions:things:read',
        argumentNames: ['text'],
        urgent: true,
      },
    ]);
  });

  it('holds digests of the other arguments when the trail has a key', async () => {
    const begin = vi.fn<AuditTrail['begin']>().mockResolvedValue({ finish: () => Promise.resolve() });
    const digest = (name: string, text: string) => `digest(${name}, ${text})`;
    await run({ operation: echo(), options: { audit: { begin, digest } } });

    expect(begin.mock.lastCall).toMatchObject([{ argumentDigests: { text: 'digest(text, hello)' } }]);
  });

  it.each([
    { decision: { allowed: true, rule: 'permissions.yaml:7' } as const },
    { decision: { allowed: false, reason: 'missing_group', rule: 'permissions.yaml:9' } as const },
  ])('names the rule that decided: $decision.rule', async ({ decision }) => {
    const { intents } = await run({ operation: echo(), options: { authorizer: { decide: () => decision } } });

    expect(intents).toMatchObject([{ rule: decision.rule }]);
  });

  it('names the trace around the call in the intent and the one it ran in in the outcome', async () => {
    const active = ['b'.repeat(32)];
    const { intents, outcomes, measurements } = await run({
      operation: echo(),
      options: {
        telemetry: {
          recordCall: () => undefined,
          activeTraceId: () => active.at(-1),
          span: (_name, _attributes, work) => {
            active.push('c'.repeat(32));
            return work().finally(() => active.pop());
          },
        },
      },
    });

    expect(intents).toMatchObject([{ traceId: 'b'.repeat(32) }]);
    expect(outcomes).toMatchObject([{ traceId: 'c'.repeat(32) }]);
    expect(measurements).toEqual([]);
  });

  it('keeps the details of a call that was denied', async () => {
    const { intents } = await run({
      operation: echo(),
      options: { authorizer: denies('missing_group') },
    });

    expect(intents).toMatchObject([{ resource: 'things/hello' }]);
  });

  it('leaves no trace of a list that was answered', async () => {
    const { intents, measurements } = await run({ operation: echo({ audited: 'refusals' }) });

    expect(intents).toEqual([]);
    expect(measurements).toHaveLength(1);
  });

  it('keeps a list that was refused', async () => {
    const { outcomes } = await run({
      operation: echo({ audited: 'refusals' }),
      options: { authorizer: denies('missing_scope') },
    });

    expect(outcomes).toMatchObject([{ result: 'denied', reason: 'missing_scope' }]);
  });

  it('shortens a target that a client made up', async () => {
    const ports = recordingPorts();
    await runCall(
      { method: 'tools/call', target: 'x'.repeat(10_000), operation: undefined, arguments: undefined },
      aRequest(),
      resolvePipelineOptions({ audit: ports.audit }),
    );

    expect(ports.intents[0]?.target).toHaveLength(128);
  });
});

describe('interruption', () => {
  it('hands the handler a signal that aborts when the client cancels', async () => {
    const client = new AbortController();
    const started = Promise.withResolvers<AbortSignal>();
    const running = run({
      operation: write({
        run: (_input, { signal }) => {
          started.resolve(signal);
          return never();
        },
      }),
      request: { signal: client.signal },
    });
    const signal = await started.promise;
    client.abort();

    expect(signal.aborted).toBe(true);
    expect((await running).outcomes).toMatchObject([{ result: 'unknown', reason: 'cancelled' }]);
  });

  it('says that the server was stopped when that is why a call was aborted', async () => {
    const client = new AbortController();
    const started = Promise.withResolvers<AbortSignal>();
    const running = run({
      operation: write({
        run: (_input, { signal }) => {
          started.resolve(signal);
          return never();
        },
      }),
      request: { signal: client.signal },
    });
    const signal = await started.promise;
    client.abort(Object.assign(new Error('stopping'), { code: 'server_stopped' }));

    expect(signal.aborted).toBe(true);
    expect((await running).outcomes).toMatchObject([{ result: 'unknown', reason: 'server_stopped' }]);
  });

  it('does not start a handler whose call was cancelled while the intent was written', async () => {
    const client = new AbortController();
    const handler = vi.fn<Echo['run']>(never);
    const finish = vi.fn<AuditEntry['finish']>(() => Promise.resolve());
    await run({
      operation: write({ run: handler }),
      request: { signal: client.signal },
      options: {
        audit: {
          begin() {
            client.abort();
            return Promise.resolve({ finish });
          },
        },
      },
    });

    expect(handler).not.toHaveBeenCalled();
    expect(finish).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ result: 'failure', reason: 'cancelled' }),
    );
  });

  it('swallows what a handler throws after its call has ended', async () => {
    const late = Promise.withResolvers<{ readonly text: string }>();
    const { result } = await run({ operation: echo({ deadlineMs: 1, run: () => late.promise }) });
    late.reject(new Error('too late'));

    expect(result).toMatchObject({ failure: { code: 'deadline_exceeded' } });
  });

  it('tells the handler when the call gives up', async () => {
    const before = Date.now();
    const deadlineAt = Promise.withResolvers<number>();
    await run({
      operation: echo({
        deadlineMs: 60_000,
        run: (input, context) => {
          deadlineAt.resolve(context.deadlineAt);
          return Promise.resolve(input);
        },
      }),
    });

    expect(await deadlineAt.promise).toBeGreaterThanOrEqual(before + 60_000);
  });
});

/** What a handler may throw although nobody can read it. */
const unreadable: Readonly<Record<string, () => unknown>> = {
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a getter that throws': () =>
    Object.defineProperty(new Error('odd'), 'code', {
      get() {
        throw new Error('not readable');
      },
    }),
};

describe('errors', () => {
  it('logs the cause with the reference that the model is given', async () => {
    const cause = new Error(secret);
    const { result, logged } = await run({ operation: echo({ run: () => Promise.reject(cause) }) });

    expect(logged).toEqual([
      {
        level: 'error',
        message: 'call failed unexpectedly',
        fields: { err: cause, correlationId: 'reference-1', target: 'echo' },
      },
    ]);
    expect(result).toMatchObject({ failure: { message: expect.stringContaining('reference-1') } });
  });

  it("takes another package's error by its shape", async () => {
    const foreign = Object.assign(new Error(secret), {
      code: 'circuit_open',
      publicMessage: 'The deployment API is down. Try again in a minute.',
    });
    const { result } = await run({ operation: echo({ run: () => Promise.reject(foreign) }) });

    expect(result).toMatchObject({
      failure: { code: 'circuit_open', message: 'The deployment API is down. Try again in a minute.' },
    });
  });

  it.each(Object.entries(unreadable))(
    'ends a call that throws %s, in the trail too',
    async (_what, thrown) => {
      const { result, outcomes } = await run({
        operation: echo({ readOnly: false, run: () => Promise.reject(thrown()) }),
      });
      expect(result).toMatchObject({
        failure: { code: 'internal', message: expect.stringContaining('check before') },
      });
      expect(outcomes).toMatchObject([{ result: 'unknown', reason: 'internal' }]);
    },
  );

  it('tells a model no more than a page of what a handler says', async () => {
    const failing = Object.assign(new Error('long'), {
      code: 'too_long',
      publicMessage: 'y'.repeat(200_000),
    });
    const { result } = await run({ operation: echo({ run: () => Promise.reject(failing) }) });
    expect(result).toMatchObject({ failure: { message: expect.stringMatching(/^y{1,4000}…$/u) } });
  });

  it('answers when the telemetry fails', async () => {
    const { result, outcomes } = await run({
      operation: echo(),
      options: {
        telemetry: {
          span: (_name, _attributes, work) => work(),
          recordCall: () => {
            throw new Error('exporter gone');
          },
        },
      },
    });

    expect(result).toMatchObject({ ok: true });
    expect(outcomes).toHaveLength(1);
  });
});
