import { replayStoreContract, unavailableReplayStoreCase } from '@mcp-parts/auth/testing';
import { findService, startRedis } from '@mcp-parts/test-services';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

import { openRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });

describe.skipIf(program === undefined)('a memory of used proofs that replicas share', () => {
  it.each(replayStoreContract)('$name', async ({ run }) => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const keys = new Redis(server.url);
    await run({
      store: first.replays,
      replica: second.replays,
      // Redis has a clock of its own: of two keys, one lasts.
      wait: () =>
        vi.waitFor(async () => expect(await keys.keys('*:used:*')).toHaveLength(1), { timeout: 10_000 }),
    });
    keys.disconnect();
  });

  it.each([unavailableReplayStoreCase])('$name', async ({ run }) => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    await server.kill();
    await run({ store: redis.replays, wait: async () => undefined });
    await expect(redis.replays.claim('a', { ttlMs: 1 })).rejects.toMatchObject({
      code: 'unavailable',
      publicMessage: expect.stringContaining('Try again'),
    });
  });

  it('keeps digests of what was used, and nothing that it says', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url, prefix: 'p:' });
    await redis.replays.claim('https://idp.example.test#jo', { ttlMs: 60_000 });
    const client = new Redis(server.url);
    expect(await client.keys('p:used:*')).toEqual([expect.stringMatching(/^p:used:[\w-]{22}$/u)]);
    client.disconnect();
  });
});
