import { openTaskEngine } from '@mcp-parts/tasks';
import { findService, startRedis } from '@mcp-parts/test-services';
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { openRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const soon = { timeout: 15_000, interval: 20 };
const tooMany = {
  isError: true,
  content: [{ text: expect.stringContaining('Too many calls of this tool') }],
};

type Runs = { readonly end: () => void }[];

/** A replica with a tool that has one place for all callers; its runs end when the test says so. */
async function openReplica(url: string, runs: Runs) {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await openRedis({ url }));
  const tasks = stack.use(await openTaskEngine({ store: await redis.openTaskStore() }));
  const bake = defineTool({
    name: 'bake',
    description: 'Bakes.',
    input: z.strictObject({}),
    output: z.object({}),
    annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
    permission: 'bake',
    limit: { total: { concurrent: 1 } },
    longRunning: { onInterrupted: 'resume' },
    async handle(_input, { signal }) {
      const ended = Promise.withResolvers<Record<string, never>>();
      signal.addEventListener('abort', () => ended.reject(signal.reason));
      runs.push({ end: () => ended.resolve({}) });
      return ended.promise;
    },
  });
  const { rateLimiter } = redis;
  const table = createMethodTable(createCatalog({ tools: [bake] }), { tasks, rateLimiter });
  return {
    call: async () =>
      table.methods.get('tools/call')?.(
        { name: 'bake', arguments: {} },
        {
          caller: { kind: 'user', id: 'issuer#ada', groups: [], permissions: ['bake'] },
          signal: new AbortController().signal,
          era: '2025',
          transport: 'http',
          correlationId: 'ref-1',
        },
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.skipIf(program === undefined)('tasks of a tool with one place', () => {
  it('run one at a time at all replicas, and the end of one makes room at each', async () => {
    await using server = await startRedis();
    const runs: Runs = [];
    await using one = await openReplica(server.url, runs);
    await using other = await openReplica(server.url, runs);
    expect(await one.call()).not.toHaveProperty('isError');
    await vi.waitFor(() => expect(runs).toHaveLength(1), soon);
    expect(await other.call()).toMatchObject(tooMany);
    expect(await one.call()).toMatchObject(tooMany);
    runs[0]?.end();
    await vi.waitFor(async () => expect(await other.call()).not.toHaveProperty('isError'), soon);
    await vi.waitFor(() => expect(runs).toHaveLength(2), soon);
    expect(await one.call()).toMatchObject(tooMany);
  });

  it('go on at the next replica, and keep their place there', async () => {
    await using server = await startRedis();
    const runs: Runs = [];
    await using other = await openReplica(server.url, runs);
    {
      await using one = await openReplica(server.url, runs);
      await one.call();
      await vi.waitFor(() => expect(runs).toHaveLength(1), soon);
    }
    await vi.waitFor(() => expect(runs).toHaveLength(2), soon);
    expect(await other.call()).toMatchObject(tooMany);
    runs[1]?.end();
    await vi.waitFor(async () => expect(await other.call()).not.toHaveProperty('isError'), soon);
  });
});
