import { findService, startRedis, type RedisServer } from '@mcp-parts/test-services';
import type { RateLimiter } from '@mcp-parts/tool-kit';
import { placesContract, rateLimiterContract } from '@mcp-parts/tool-kit/testing';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

import { openRedis, type SharedRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const one = { perMinute: 100, weight: 1 };

/** So many processes on one Redis, each of which knows of the others. */
async function openReplicas(server: RedisServer, count: number) {
  const stack = new AsyncDisposableStack();
  const replicas: SharedRedis[] = [];
  for (let number = 0; number < count; number += 1) {
    replicas.push(stack.use(await openRedis({ url: server.url })));
  }
  return { replicas, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function passed(limiters: readonly RateLimiter[], calls: number, key = 'caller:a'): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: calls }, async (_, index) => limiters[index % limiters.length]?.consume(key, one)),
  );
  return answers.filter((answer) => answer?.allowed === true).length;
}

describe.skipIf(program === undefined)('limits that replicas share', () => {
  it.each([...rateLimiterContract, ...placesContract].filter(({ isSlow }) => !isSlow))(
    '$name',
    async ({ run }) => {
      await using server = await startRedis();
      await using shared = await openReplicas(server, 2);
      const [limiter, replica] = shared.replicas.map(({ rateLimiter }) => rateLimiter);
      if (limiter === undefined) {
        throw new Error('there are two');
      }
      await run({ limiter, replica, wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
      expect.assertions(0);
    },
  );

  it('of 100 are 100, and not 300, at three replicas', async () => {
    await using server = await startRedis();
    await using shared = await openReplicas(server, 3);
    expect(
      await passed(
        shared.replicas.map(({ rateLimiter }) => rateLimiter),
        400,
      ),
    ).toBe(100);
  });

  it('say how long the minute of the key still lasts, and let calls pass after it', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const client = new Redis(server.url);
    const rate = { perMinute: 1, weight: 1 };
    await redis.rateLimiter.consume('caller:a', rate);
    const [key = ''] = await client.keys('*:rate:*');
    expect(await client.pttl(key)).toBeGreaterThan(55_000);
    await client.pexpire(key, 400);
    const refused = await redis.rateLimiter.consume('caller:a', rate);
    expect(refused).toMatchObject({ allowed: false });
    expect(!refused.allowed && refused.retryAfterMs).toBeLessThanOrEqual(400);
    await vi.waitFor(async () => expect(await client.exists(key)).toBe(0));
    expect(await redis.rateLimiter.consume('caller:a', rate)).toEqual({ allowed: true });
    client.disconnect();
  });

  it('hold at each replica, for its share, while redis is gone', async () => {
    await using server = await startRedis();
    await using shared = await openReplicas(server, 3);
    // Who was alone when it came hears of the others when it counts again.
    await server.kill();
    await server.restart();
    await vi.waitFor(() => expect(shared.replicas.map(({ replicas }) => replicas())).toEqual([3, 3, 3]), {
      timeout: 15_000,
    });
    await server.kill();
    for (const { rateLimiter } of shared.replicas) {
      expect(await passed([rateLimiter], 100)).toBe(34);
    }
  });

  it.each(['killed', 'frozen'] as const)('keep no call waiting while redis is %s', async (how) => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url, commandTimeoutMs: 100 });
    await redis.rateLimiter.consume('caller:a', one);
    if (how === 'killed') {
      await server.kill();
    } else {
      server.freeze();
    }
    const begin = performance.now();
    for (let call = 0; call < 90; call += 1) {
      expect(await redis.rateLimiter.consume('caller:a', one)).toEqual({ allowed: true });
    }
    // Three commands of 100 ms before nobody waits any more, and a trial in each second; not 90.
    expect(performance.now() - begin).toBeLessThan(2_000);
    await vi.waitFor(() => expect(redis.isReachable()).toBe(false));
    if (how === 'killed') {
      await server.restart();
    } else {
      server.thaw();
    }
    await vi.waitFor(
      async () => {
        await redis.rateLimiter.consume('caller:b', one);
        expect(redis.isReachable()).toBe(true);
      },
      { timeout: 15_000, interval: 50 },
    );
  });

  it('never fail a call while redis stops and starts under load', async () => {
    await using server = await startRedis();
    await using shared = await openReplicas(server, 3);
    const rate = { perMinute: 1_000_000, weight: 1 };
    const over = new AbortController();
    let calls = 0;
    const load = shared.replicas.map(async ({ rateLimiter }) => {
      while (!over.signal.aborted) {
        const place = await rateLimiter.enter('caller:a', { max: 60, leaseMs: 60_000 });
        const answer = await rateLimiter.consume('caller:a', rate);
        calls += 1;
        if (place === undefined || !answer.allowed) {
          throw new Error(`call ${calls} was refused`);
        }
        place.leave();
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let round = 0; round < 3; round += 1) {
      const before = calls;
      await server.kill();
      await vi.waitFor(() => expect(calls).toBeGreaterThan(before + 100), { timeout: 10_000 });
      await server.restart();
      await vi.waitFor(() => expect(shared.replicas.every(({ isReachable }) => isReachable())).toBe(true), {
        timeout: 10_000,
      });
    }
    over.abort();
    await Promise.all(load);
    expect(calls).toBeGreaterThan(300);
  });

  it('keep no name of a caller in redis', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    await redis.rateLimiter.consume('caller:https://idp.example.test#jo', one);
    await redis.rateLimiter.enter('caller:https://idp.example.test#jo', { max: 1, leaseMs: 60_000 });
    const client = new Redis(server.url);
    const keys = await client.keys('*');
    expect(keys.join(' ')).not.toContain('jo');
    // Each ends by itself.
    for (const key of keys) {
      expect(await client.pttl(key)).toBeGreaterThan(0);
    }
    client.disconnect();
  });
});
