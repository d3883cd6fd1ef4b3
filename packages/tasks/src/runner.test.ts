import { expect, it, vi } from 'vitest';

import { silentLogger } from './logger.ts';
import { createRunner } from './runner.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { QueuedTask, TaskDefinition } from './task.ts';

const patience = { timeout: 4_000 };

const queued: QueuedTask = {
  id: 'id',
  kind: 'deployment',
  ownerId: 'alice',
  idempotencyKey: undefined,
  input: {},
  state: 'queued',
  attempt: 0,
  progress: { percent: 0, message: '' },
  createdAt: 0,
  updatedAt: 0,
};

function createRunnerOn(store: ReturnType<typeof openSqliteStore>, run: TaskDefinition['run']) {
  const definition: TaskDefinition = { kind: 'deployment', onInterrupted: 'fail', run };
  const definitions = new Map([['deployment', definition]]);
  const error = vi.fn<(fields: object, message: string) => void>();
  const logger = { ...silentLogger, error };
  return { runner: createRunner({ store, definitions, concurrency: 1, logger, now: () => 0 }), error };
}

it('ends a task whose outcome could not be stored once the store works again', async () => {
  const store = openSqliteStore(':memory:');
  const replace = vi.spyOn(store, 'replace');
  const { runner, error } = createRunnerOn(store, async () => {
    replace.mockImplementationOnce(() => {
      throw new Error('database or disk is full');
    });
    return {};
  });
  store.insert(queued);
  runner.wake();
  await vi.waitFor(() => expect(error).toHaveBeenCalledOnce(), patience);
  expect(error).toHaveBeenCalledWith(
    expect.objectContaining({ event: 'complete' }),
    'task could not be updated',
  );
  expect(store.find('id')?.state).toBe('running');
  // The handler is gone from the runner one turn after its outcome was refused.
  await vi.waitFor(() => {
    runner.recover();
    expect(store.find('id')).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
  }, patience);
  store.close();
});

it('leaves a task that runs here alone when it recovers', async () => {
  const store = openSqliteStore(':memory:');
  const finish = Promise.withResolvers<Record<string, never>>();
  const { runner } = createRunnerOn(store, () => finish.promise);
  store.insert(queued);
  runner.wake();
  await vi.waitFor(() => expect(store.find('id')?.state).toBe('running'), patience);
  runner.recover();
  expect(store.find('id')?.state).toBe('running');
  finish.resolve({});
  await vi.waitFor(() => expect(store.find('id')?.state).toBe('completed'), patience);
  store.close();
});

it('ignores the outcome of an earlier attempt', async () => {
  const store = openSqliteStore(':memory:');
  const finish = Promise.withResolvers<Record<string, never>>();
  const { runner } = createRunnerOn(store, () => finish.promise);
  store.insert(queued);
  runner.wake();
  await vi.waitFor(() => expect(store.find('id')?.state).toBe('running'), patience);
  // Somebody else took the task over, as after a restart.
  runner.apply('id', { type: 'interrupt', policy: 'retry' });
  runner.apply('id', { type: 'claim' });
  finish.resolve({});
  await runner.drain(60_000);
  expect(store.find('id')).toMatchObject({ state: 'running', attempt: 2 });
  store.close();
});
