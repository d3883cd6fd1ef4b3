import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it, vi } from 'vitest';

import {
  openSqliteStore,
  openTaskEngine,
  type JsonObject,
  type Task,
  type TaskDefinition,
  type TaskEngine,
  type TaskStore,
} from '../src/index.ts';

const patience = { timeout: 10_000 };
const request = { kind: 'work', input: {}, ownerId: 'alice' };

/** A store of elsewhere that cannot be reached; `mayBeDone`: it was asked, and nothing was heard. */
function unavailable(mayBeDone: boolean): Error {
  return Object.assign(new Error('no reply'), { code: 'unavailable', mayBeDone });
}

/** A store whose method does what it is asked as often as `times`, and nobody hears of it. */
function unheard(method: 'insert' | 'claim' | 'saveStep' | 'replace', times: number): TaskStore {
  const store = openSqliteStore(':memory:');
  const inner = store[method] as (...given: unknown[]) => Promise<unknown>;
  let left = times;
  return {
    ...store,
    async [method](...given: unknown[]) {
      const answer = await inner(...given);
      if (left > 0 && answer !== undefined) {
        left -= 1;
        throw unavailable(true);
      }
      return answer;
    },
  };
}

async function open(store: TaskStore, run: TaskDefinition['run']): Promise<TaskEngine> {
  const engine = await openTaskEngine({ store, leaseMs: 400, definitions: [{ kind: 'work', run }] });
  return { ...engine, [Symbol.asyncDispose]: () => engine.close({ deadlineMs: 0 }) };
}

const reached = (engine: TaskEngine, { id }: Task, state: Task['state']) =>
  vi.waitFor(async () => {
    const task = await engine.get(id, 'alice');
    expect(task?.state).toBe(state);
    return task;
  }, patience);

describe('a store that says nothing', () => {
  it('of what it has started, has started it once, and the caller hears of it', async () => {
    const run = vi.fn<TaskDefinition['run']>(async () => ({}));
    await using engine = await open(unheard('insert', 2), run);
    const task = await engine.start(request);
    await reached(engine, task, 'completed');
    expect(run).toHaveBeenCalledOnce();
    expect((await engine.list('alice')).tasks).toHaveLength(1);
  });

  it('for too long, leaves it open whether the task was started, and the caller hears that', async () => {
    await using engine = await open(unheard('insert', Infinity), async () => ({}));
    await expect(engine.start(request)).rejects.toMatchObject({
      code: 'start_unknown',
      publicMessage: expect.stringContaining('before you start another one'),
    });
  });

  it('as it cannot be reached, has started nothing, and is not waited for', async () => {
    const insert = vi.fn<TaskStore['insert']>(async () => {
      throw unavailable(false);
    });
    await using engine = await open({ ...openSqliteStore(':memory:'), insert }, async () => ({}));
    await expect(engine.start(request)).rejects.toMatchObject({ code: 'unavailable' });
    expect(insert).toHaveBeenCalledOnce();
  });

  it('of a task that a worker was to take, gets it back: nothing of it has begun', async () => {
    const run = vi.fn<TaskDefinition['run']>(async () => ({}));
    await using engine = await open(unheard('claim', 1), run);
    const task = await engine.start(request);
    await reached(engine, task, 'completed');
    expect(run).toHaveBeenCalledOnce();
  });

  it('of a step or a question, is told again, and the work is done once', async () => {
    const work = vi.fn<() => number>(() => 7);
    const steps = unheard('saveStep', 2);
    await using engine = await open(steps, async (_input, { step }) => ({ seven: await step('a', work) }));
    expect(await reached(engine, await engine.start(request), 'completed')).toMatchObject({
      result: { seven: 7 },
    });
    expect(work).toHaveBeenCalledOnce();

    await using asking = await open(unheard('replace', 1), async (_input, { ask }) => ask('sure', {}));
    const asked = await asking.start(request);
    await reached(asking, asked, 'input_required');
    await asking.answer(asked.id, 'alice', { sure: { yes: true } });
    expect(await reached(asking, asked, 'completed')).toMatchObject({ result: { yes: true } });
  });
});

describe('one run', () => {
  it('does a step once, however often it comes by, at once or later', async () => {
    let count = 0;
    const next = () => (count += 1);
    await using engine = await open(openSqliteStore(':memory:'), async (_input, { step }) => ({
      numbers: [...(await Promise.all([step('a', next), step('a', next)])), await step('a', next)],
    }));
    expect(await reached(engine, await engine.start(request), 'completed')).toMatchObject({
      result: { numbers: [1, 1, 1] },
    });
  });

  it('ends when it is cancelled while its question is stored', async () => {
    const store = openSqliteStore(':memory:');
    const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: TaskStore = {
      ...store,
      async replace(previous, next) {
        const isDone = await store.replace(previous, next);
        if ('sure' in next.questions && next.cancel === undefined) {
          asked.resolve();
          await goOn.promise;
        }
        return isDone;
      },
    };
    await using engine = await open(slow, async (_input, { ask }) => ask('sure', {}));
    const task = await engine.start(request);
    await asked.promise;
    await engine.cancel(task.id, 'alice');
    goOn.resolve();
    expect(await reached(engine, task, 'cancelled')).toMatchObject({ isCancelRequested: true });
  });

  it.each(['constructor', 'toString', '1'])('asks under any key: %s', async (key) => {
    await using engine = await open(openSqliteStore(':memory:'), async (_input, { ask }) => ask(key, {}));
    const task = await engine.start(request);
    await reached(engine, task, 'input_required');
    await engine.answer(task.id, 'alice', { [key]: { yes: true } } satisfies Record<string, JsonObject>);
    expect(await reached(engine, task, 'completed')).toMatchObject({ result: { yes: true } });
  });
});

it.skipIf(process.platform === 'win32')(
  'a pipe in the place of the file is refused at once',
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tasks-pipe-'));
    const pipe = join(folder, 'tasks.db');
    await promisify(execFile)('mkfifo', [pipe]);
    // In a process of its own: who opens a pipe without care does not come back.
    const source = new URL('../src/index.ts', import.meta.url).href;
    const program = `import { openSqliteStore } from ${JSON.stringify(source)}; try { openSqliteStore(${JSON.stringify(pipe)}); } catch (error) { console.log(error.message); }`;
    const argv = [
      '--conditions=@mcp-parts/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
    ];
    const limits = { timeout: 30_000, killSignal: 'SIGKILL' } as const;
    const { stdout } = await promisify(execFile)(process.execPath, [...argv, '--eval', program], limits);
    await rm(folder, { recursive: true });
    expect(stdout).toBe(`${pipe} is not a regular file\n`);
  },
);
