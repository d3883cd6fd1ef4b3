import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { openTaskEngine, type Task } from '../src/index.ts';
import { definitions } from './kinds.fixture.ts';

interface Acknowledged {
  readonly id: string;
  readonly kind: 'fail' | 'resume';
  readonly number: number;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tasks-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the fixture until it has acknowledged `count` tasks, then kills it with SIGKILL. */
async function createTasksAndKill(path: string, count: number): Promise<Acknowledged[]> {
  const child = fork(fileURLToPath(new URL('create-tasks.fixture.ts', import.meta.url)), [path], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const acknowledged: Acknowledged[] = [];
  child.on('message', (message) => {
    // The fixture sends nothing else.
    acknowledged.push(message as Acknowledged);
    if (acknowledged.length === count) {
      child.kill('SIGKILL');
    }
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  return acknowledged;
}

it(
  'keeps every acknowledged task over kill -9, ends each, and runs again only what may be repeated',
  { timeout: 120_000 },
  async () => {
    const path = join(folder, 'tasks.db');
    const acknowledged: Acknowledged[] = [];
    // Different counts stop the process at different points of its work.
    for (let kill = 0; kill < 20; kill += 1) {
      const count = 1 + ((kill * 7) % 23);
      acknowledged.push(...(await createTasksAndKill(path, count)));
    }

    const attempts = { fail: 1, resume: expect.any(Number) };
    await using engine = await openTaskEngine({
      store: path,
      definitions,
      leaseMs: 400,
      concurrency: 50,
      maxRunningPerOwner: 50,
    });
    for (const { id, kind, number } of acknowledged) {
      const task = await vi.waitFor(
        async () => {
          const task = await engine.get(id, 'alice');
          expect(task?.state).toMatch(/^(completed|failed)$/);
          return task as Task;
        },
        { timeout: 30_000 },
      );
      const outcome =
        task.state === 'failed'
          ? { kind: 'fail', error: { code: 'interrupted' } }
          : { kind, result: { echo: { number }, attempt: attempts[kind] } };
      expect(task).toMatchObject(outcome);
    }
  },
);
