import { openTaskEngine, type TaskDefinition, type TaskEngine, type TaskLogger } from '@mcp-parts/tasks';
import { taskStoreContract, type TaskStoreHarness } from '@mcp-parts/tasks/testing';
import { findService, startRedis } from '@mcp-parts/test-services';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

import { openRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });

async function openPair(): Promise<TaskStoreHarness> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const [first, second] = [
    stack.use(await openRedis({ url: server.url })),
    stack.use(await openRedis({ url: server.url })),
  ];
  return {
    store: await first.openTaskStore(),
    other: await second.openTaskStore(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.skipIf(program === undefined)('tasks that replicas share', () => {
  it.each(taskStoreContract(openPair))('$name', ({ check }) => expect(check()).resolves.toBeUndefined());
});

/** Work that ends when it is told to, or cancelled. */
function untilToldDefinition(): TaskDefinition & {
  readonly tell: () => void;
  readonly began: Promise<void>;
} {
  const told = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  return {
    kind: 'work',
    onInterrupted: 'resume',
    tell: told.resolve,
    began: began.promise,
    async run(_input, { signal }) {
      began.resolve();
      const cancelled = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => cancelled.reject(signal.reason));
      await Promise.race([told.promise, cancelled.promise]);
      return { done: true };
    },
  };
}

const silent: TaskLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const stateOf = async (engine: TaskEngine, id: string) => (await engine.get(id, 'alice'))?.state;
const soon = { timeout: 15_000, interval: 20 };

describe.skipIf(program === undefined)('engines of several processes', () => {
  it('cancel what another one runs, within two seconds', async () => {
    await using pair = await openPair();
    const definition = untilToldDefinition();
    await using runs = await openTaskEngine({ store: pair.store, definitions: [definition] });
    const { id } = await runs.start({ kind: 'work', input: {}, ownerId: 'alice' });
    await definition.began;
    await using other = await openTaskEngine({ store: pair.other ?? '' });
    await other.cancel(id, 'alice', { reason: 'enough' });
    await vi.waitFor(async () => expect(await stateOf(other, id)).toBe('cancelled'), {
      timeout: 2_000,
      interval: 20,
    });
  });

  it('keep the end of a task until redis is back, and start nothing meanwhile', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const definition = untilToldDefinition();
    await using engine = await openTaskEngine({
      store: await redis.openTaskStore(),
      definitions: [definition],
    });
    const request = { kind: 'work', input: {}, ownerId: 'alice' };
    const { id } = await engine.start(request);
    await definition.began;
    await server.kill();
    await vi.waitFor(() => expect(redis.isReachable()).toBe(false), soon);
    await expect(engine.start(request)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(engine.get(id, 'alice')).rejects.toMatchObject({ code: 'unavailable' });
    definition.tell();
    await server.restart();
    await vi.waitFor(async () => expect(await stateOf(engine, id)).toBe('completed'), soon);
  });

  it('open while redis is gone, and work when it is there', async () => {
    await using server = await startRedis();
    await server.kill();
    await using redis = await openRedis({ url: server.url });
    const definition = untilToldDefinition();
    definition.tell();
    await using engine = await openTaskEngine({
      store: await redis.openTaskStore(),
      definitions: [definition],
    });
    await server.restart();
    let id = '';
    await vi.waitFor(async () => {
      ({ id } = await engine.start({ kind: 'work', input: {}, ownerId: 'alice' }));
    }, soon);
    await vi.waitFor(async () => expect(await stateOf(engine, id)).toBe('completed'), soon);
  });

  it('close while redis is gone, and leave what they run to others', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const definition = untilToldDefinition();
    const error = vi.fn<TaskLogger['error']>();
    const engine = await openTaskEngine({
      store: await redis.openTaskStore(),
      definitions: [definition],
      logger: { ...silent, error },
    });
    await engine.start({ kind: 'work', input: {}, ownerId: 'alice' });
    await definition.began;
    await server.kill();
    await expect(engine.close({ deadlineMs: 0 })).resolves.toBeUndefined();
    expect(error.mock.calls.map(([, message]) => message)).toContain('tasks were left to other workers');
  });

  it('are refused a redis that would forget tasks, and one that would evict them', async () => {
    await using volatile = await startRedis({ settings: ['--appendonly', 'no'] });
    await using redis = await openRedis({ url: volatile.url });
    await expect(redis.openTaskStore()).rejects.toMatchObject({
      code: 'unsuitable',
      message: expect.stringContaining('appendonly must be yes'),
    });
    await using evicting = await startRedis({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    await expect(openRedis({ url: evicting.url })).rejects.toMatchObject({
      code: 'unsuitable',
      message: expect.stringContaining('maxmemory-policy must be noeviction'),
    });
  });

  it('put no name of an owner into a key', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const store = await redis.openTaskStore();
    await using engine = await openTaskEngine({ store, definitions: [untilToldDefinition()] });
    await engine.start({ kind: 'work', input: {}, ownerId: 'idp#jo', idempotencyKey: 'idp#jo' });
    const client = new Redis(server.url);
    expect((await client.keys('*')).join(' ')).not.toContain('jo');
    client.disconnect();
  });
});
