import { taskStoreContract, type TaskStoreHarness } from '@mcp-parts/tasks/testing';
import { findService, startRedis } from '@mcp-parts/test-services';
import { describe, expect, it } from 'vitest';

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
