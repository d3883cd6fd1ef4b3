import { describe, expect, it, vi } from 'vitest';

import { aCaller, aRequest, echoTool } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import type { ToolDefinition } from '../definition/define-tool.ts';
import type { ToolLimit } from '../definition/limit.ts';
import type { RateLimitAnswer, RateLimiter } from '../ports.ts';
import { createMethodTable, type MethodTableOptions } from '../protocol/method-table.ts';

const ada = aCaller();
const bob = aCaller({ id: 'issuer#bob' });

/** Calls `echo`, whose handler ends when the test says so. */
function slowTool(
  limit: ToolLimit,
  options: MethodTableOptions = {},
  overrides: Partial<ToolDefinition> = {},
) {
  const running: (() => void)[] = [];
  const tool = echoTool({
    limit,
    handle: () => new Promise((resolve) => running.push(() => resolve({ text: 'done' }))),
    ...overrides,
  });
  const table = createMethodTable(createCatalog({ tools: [tool] }), options);
  const call = (caller = ada) =>
    table.methods.get('tools/call')?.({ name: 'echo', arguments: { text: 'hi' } }, aRequest({ caller }));
  return { call, running, begun: (count: number) => vi.waitFor(() => expect(running).toHaveLength(count)) };
}

/** Counts by key, and refuses what has run out. */
function counting(): RateLimiter & { readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  return {
    counts,
    consume(key, { perMinute, weight }): RateLimitAnswer {
      const count = (counts.get(key) ?? 0) + weight;
      if (count > perMinute) {
        return { allowed: false, retryAfterMs: 1_500 };
      }
      counts.set(key, count);
      return { allowed: true };
    },
  };
}

const tooMany = {
  isError: true,
  content: [{ text: 'Too many calls of this tool are running. Nothing was done. Wait 1 s, then try again.' }],
};

describe('calls that run at once', () => {
  it('are as many for each caller as the tool says, and then the model is told to wait', async () => {
    const { call, running, begun } = slowTool({ concurrent: 1 });
    const first = call();
    await begun(1);

    expect(await call()).toMatchObject(tooMany);
    const other = call(bob);
    await begun(2);

    running[0]?.();
    expect(await first).not.toHaveProperty('isError');
    const next = call();
    await begun(3);
    running.forEach((end) => end());
    expect(await Promise.all([other, next])).toMatchObject([{}, {}]);
  });

  it('are no more for all callers than the tool says', async () => {
    const { call, running, begun } = slowTool({ total: { concurrent: 1 } });
    const first = call();
    await begun(1);

    expect(await call(bob)).toMatchObject(tooMany);
    running[0]?.();
    await first;
  });

  it('run until their handler ends, also when nobody waits for it any more', async () => {
    const leave = vi.fn<() => void>();
    const enter = vi.fn<NonNullable<RateLimiter['enter']>>(() => ({ leave }));
    const rateLimiter = { ...counting(), enter };
    const { call, running } = slowTool({ concurrent: 1 }, { rateLimiter, deadlineMs: 5 });

    expect(await call()).toMatchObject({ isError: true });
    expect(leave).not.toHaveBeenCalled();
    running[0]?.();
    await vi.waitFor(() => expect(leave).toHaveBeenCalledOnce());
    expect(enter).toHaveBeenCalledExactlyOnceWith('tool:echo:issuer#ada', { max: 1, leaseMs: 10 });
  });

  it('give back the places that they took when one is missing', async () => {
    const { call, running, begun } = slowTool({ concurrent: 5 }, { serverLimit: { concurrent: 1 } });
    const first = call();
    await begun(1);
    for (let count = 0; count < 6; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other.
      expect(await call()).toMatchObject({
        content: [{ text: expect.stringMatching(/^Too many calls are/u) }],
      });
    }
    running[0]?.();
    await first;
    const next = call();
    await begun(2);
    running[1]?.();
    expect(await next).not.toHaveProperty('isError');
  });

  it('give back a place that comes when nobody waits for it any more', async () => {
    const left = vi.fn<() => void>();
    const place = Promise.withResolvers<{ readonly leave: () => void }>();
    const rateLimiter = { ...counting(), enter: () => place.promise };
    const { call } = slowTool({ concurrent: 1 }, { rateLimiter, deadlineMs: 1 });

    expect(await call()).toMatchObject({ isError: true });
    expect(left).not.toHaveBeenCalled();
    place.resolve({ leave: left });
    await vi.waitFor(() => expect(left).toHaveBeenCalledOnce());
  });
});

describe('requests in a minute', () => {
  const instant = { handle: async () => ({ text: 'done' }) };

  it('of a tool count for each caller, and for all together', async () => {
    const rateLimiter = counting();
    const { call } = slowTool({ perMinute: 2, total: { perMinute: 3 } }, { rateLimiter }, instant);
    await call();
    await call();
    expect(await call()).toMatchObject({
      isError: true,
      content: [{ text: 'Too many calls of this tool. Nothing was done. Wait 2 s, then try again.' }],
    });
    expect(await call(bob)).not.toHaveProperty('isError');
    expect(await call(bob)).toMatchObject({ isError: true });
    expect([...rateLimiter.counts.keys()]).toEqual([
      'tool:echo:issuer#ada',
      'tool:echo',
      'tool:echo:issuer#bob',
    ]);
  });

  it('count a call by its weight, where the caller may see the tool', async () => {
    const rateLimiter = counting();
    const limits = { rateLimiter, callerLimit: { perMinute: 50 }, serverLimit: { perMinute: 100 } };
    const { call } = slowTool({ weight: 60 }, limits, instant);
    await call();
    await expect(call(aCaller({ id: 'issuer#eve', permissions: [] }))).rejects.toThrow('Unknown tool');
    expect(Object.fromEntries(rateLimiter.counts)).toEqual({
      // A call that weighs more than there is takes all there is.
      'caller:issuer#ada': 50,
      server: 61,
      'caller:issuer#eve': 1,
    });
  });

  it('of one caller are refused before they count for the server', async () => {
    const rateLimiter = counting();
    const limits = { rateLimiter, callerLimit: { perMinute: 1 }, serverLimit: { perMinute: 50 } };
    const { call } = slowTool({}, limits, instant);
    await call();
    expect(await call()).toMatchObject({ content: [{ text: expect.stringMatching(/^Too many calls\. /u) }] });
    expect(rateLimiter.counts.get('server')).toBe(1);
  });

  it('need something that counts them', () => {
    expect(() => slowTool({ perMinute: 1 })).toThrow(
      'rateLimiter must be a rate limiter, as the limit of "echo" has perMinute, got undefined',
    );
    expect(() => slowTool({ total: { perMinute: 1 } })).toThrow('total limit of "echo"');
    expect(() => slowTool({}, { serverLimit: { perMinute: 1 } })).toThrow('serverLimit has perMinute');
  });
});

it.each([
  ['tool "echo": limit.perMinute', { perMinute: 0 }],
  ['tool "echo": limit.concurrent', { concurrent: 0.5 }],
  ['tool "echo": limit.weight', { weight: 1_000_001 }],
  ['tool "echo": limit.total.concurrent', { total: { concurrent: Number.NaN } }],
])('%s is checked', (name, limit) => {
  expect(() => slowTool(limit, { rateLimiter: counting() })).toThrow(
    new RegExp(`^${name} must be a whole number from 1 to 1000000`, 'u'),
  );
});
