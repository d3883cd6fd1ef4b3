import { describe, expect, it, vi } from 'vitest';

import { createRedisReplayStore } from '../src/index.ts';
import { replayStoreContract, unavailableReplayStoreCase } from '../src/testing.ts';
import { redisProgram, startRedis } from './redis.ts';

const claim = { ttlMs: 1_000, owner: 'jo' };

describe.skipIf(redisProgram === undefined)('a memory of used proofs in Redis', () => {
  it.each(replayStoreContract)('$name', async ({ run }) => {
    await using redis = await startRedis(redisProgram ?? '');
    const [first, second] = [await redis.connect(), await redis.connect()];
    await run({
      store: createRedisReplayStore({ client: first }),
      replica: createRedisReplayStore({ client: second }),
      // Redis has a clock of its own.
      wait: async () => {
        await vi.waitFor(
          async () => expect(await first.sendCommand(['EXISTS', 'mcp-auth:replay:short'])).toBe(0),
          { timeout: 10_000, interval: 5 },
        );
      },
    });
  });

  it.each([unavailableReplayStoreCase])('$name', async ({ run }) => {
    await using redis = await startRedis(redisProgram ?? '');
    const store = createRedisReplayStore({ client: await redis.connect() });
    await redis.kill();
    await run({ store, wait: async () => undefined });
    expect.assertions(0);
  });
});

describe('createRedisReplayStore', () => {
  it('sends one command, which sets a key that ends by itself unless it is there', async () => {
    const sendCommand = vi.fn<(command: string[]) => Promise<unknown>>(async () => 'OK');
    await createRedisReplayStore({ client: { sendCommand }, prefix: 'p:' }).claim('a', claim);
    expect(sendCommand.mock.calls).toEqual([[['SET', 'p:a', '1', 'PX', '1000', 'NX']]]);
  });

  it.each(['QUEUED', 1, 'nil', {}])('cannot tell by the reply %j', async (reply) => {
    const store = createRedisReplayStore({ client: { sendCommand: async () => reply } });
    await expect(store.claim('a', claim)).rejects.toThrow('neither');
  });

  it('waits for a reply no longer than it was told', async () => {
    const client = { sendCommand: () => new Promise(() => undefined) };
    await expect(createRedisReplayStore({ client, timeoutMs: 5 }).claim('a', claim)).rejects.toThrow(/time/i);
  });

  it.each([{ client: {} }, { client: { sendCommand: async () => 'OK' }, timeoutMs: 0 }])(
    'refuses %j',
    (options) => {
      // As a caller without types would do it.
      const wrong = options as unknown as Parameters<typeof createRedisReplayStore>[0];
      expect(() => createRedisReplayStore(wrong)).toThrow(/client|timeoutMs/);
    },
  );
});
