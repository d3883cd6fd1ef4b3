import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { JsonObject } from '../json.ts';
import type { TaskContext, TaskDefinition } from '../task.ts';
import { openTaskEngine, type TaskEngine } from './task-engine.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tasks-'));
  path = join(folder, 'nested', 'tasks.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A kind whose handler the test ends by hand. */
function createKind(kind = 'deployment', onInterrupted: TaskDefinition['onInterrupted'] = 'fail') {
  const runs: {
    readonly input: JsonObject;
    readonly context: TaskContext;
    readonly finish: PromiseWithResolvers<JsonObject>;
  }[] = [];
  const definition: TaskDefinition = {
    kind,
    onInterrupted,
    run(input, context) {
      const finish = Promise.withResolvers<JsonObject>();
      runs.push({ input, context, finish });
      return finish.promise;
    },
  };
  const started = (count = 1) =>
    vi.waitFor(() => {
      const run = runs[count - 1];
      if (run === undefined) {
        throw new Error(`fewer than ${count} runs`);
      }
      return run;
    }, patience);
  return { definition, runs, started };
}

/** A kind whose handler ends at once with what `run` returns or throws. */
function kindThat(run: TaskDefinition['run']): TaskDefinition {
  return { kind: 'deployment', onInterrupted: 'fail', run };
}

const reached = (engine: TaskEngine, id: string, state: string) =>
  vi.waitFor(async () => {
    const task = await engine.get(id, 'alice');
    expect(task?.state).toBe(state);
    return task;
  }, patience);

/** Disks of busy machines are slow; waiting ends as soon as the condition holds. */
const patience = { timeout: 4_000 };

function ageOf(path: string): unknown {
  using reader = new DatabaseSync(path, { readOnly: true });
  return reader.prepare('SELECT age FROM age').get()?.['age'];
}

const request = { kind: 'deployment', input: { service: 'payment-service' }, ownerId: 'alice' };

describe('start', () => {
  it('is on disk when it resolves', async () => {
    await using engine = await openTaskEngine({ store: path, definitions: [kindThat(async () => ({}))] });
    const task = await engine.start(request);
    using reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare('SELECT task_id AS id, input FROM inputs').all()).toEqual([
      { id: task.id, input: '{"service":"payment-service"}' },
    ]);
  });

  it('runs the handler with its own copy of the input and stores the result', async () => {
    const kind = createKind();
    await using engine = await openTaskEngine({ store: ':memory:', definitions: [kind.definition] });
    const input = { service: 'payment-service' };
    const { id } = await engine.start({ ...request, input });
    input.service = 'changed';
    const { input: received, context, finish } = await kind.started();
    expect(received).toEqual({ service: 'payment-service' });
    expect(context).toMatchObject({ taskId: id, ownerId: 'alice', attempt: 1 });
    finish.resolve({ deploymentId: 'd-1' });
    expect(await reached(engine, id, 'completed')).toMatchObject({
      result: { deploymentId: 'd-1' },
      progress: { percent: 100 },
    });
  });

  it('answers 50 concurrent starts with the same key with one task and one run', async () => {
    const kind = createKind();
    await using engine = await openTaskEngine({ store: path, definitions: [kind.definition] });
    const tasks = await Promise.all(
      Array.from({ length: 50 }, () => engine.start({ ...request, idempotencyKey: 'key' })),
    );
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(1);
    (await kind.started()).finish.resolve({});
    await reached(engine, tasks[0]?.id ?? '', 'completed');
    expect((await engine.start({ ...request, idempotencyKey: 'key' })).state).toBe('completed');
    expect(kind.runs).toHaveLength(1);
  });

  it('refuses a key that was used with another input, and ignores the order of fields', async () => {
    await using engine = await openTaskEngine({ store: path, definitions: [kindThat(async () => ({}))] });
    const first = await engine.start({ ...request, input: { a: 1, b: 2 }, idempotencyKey: 'key' });
    const again = await engine.start({ ...request, input: { b: 2, a: 1 }, idempotencyKey: 'key' });
    expect(again.id).toBe(first.id);
    await expect(engine.start({ ...request, input: { a: 2 }, idempotencyKey: 'key' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  it('keeps the keys of owners and kinds apart', async () => {
    const other = createKind('rollback');
    const definitions = [kindThat(async () => ({})), other.definition];
    await using engine = await openTaskEngine({ store: path, definitions });
    const keyed = { ...request, idempotencyKey: 'key' };
    const ids = [
      await engine.start(keyed),
      await engine.start({ ...keyed, ownerId: 'bob' }),
      await engine.start({ ...keyed, kind: 'rollback' }),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    (await other.started()).finish.resolve({});
  });

  it('refuses an unknown kind and an input that is not a JSON object', async () => {
    await using engine = await openTaskEngine({ store: path, definitions: [kindThat(async () => ({}))] });
    const circular: Record<string, never> = {};
    Object.assign(circular, { circular });
    await expect(engine.start({ ...request, kind: 'nonsense' })).rejects.toMatchObject({
      code: 'unknown_kind',
    });
    await expect(engine.start({ ...request, input: circular })).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('runs no more than `concurrency` handlers at once, in order', async () => {
    const kind = createKind();
    await using engine = await openTaskEngine({
      store: path,
      definitions: [kind.definition],
      concurrency: 2,
    });
    const tasks = [];
    for (const n of [1, 2, 3]) {
      tasks.push(await engine.start({ ...request, input: { n } }));
    }
    await kind.started(2);
    expect((await engine.get(tasks[2]?.id ?? '', 'alice'))?.state).toBe('queued');
    kind.runs[0]?.finish.resolve({});
    await kind.started(3);
    expect(kind.runs.map(({ input }) => input['n'])).toEqual([1, 2, 3]);
    for (const { finish } of kind.runs) {
      finish.resolve({});
    }
  });
});

describe('get', () => {
  it('shows a task to its owner only', async () => {
    await using engine = await openTaskEngine({ store: path, definitions: [kindThat(async () => ({}))] });
    const { id } = await engine.start(request);
    expect(await engine.get(id, 'alice')).toMatchObject({ id });
    expect(await engine.get(id, 'bob')).toBeUndefined();
    expect(await engine.cancel(id, 'bob')).toBeUndefined();
    expect(await engine.get('00000000-0000-4000-8000-000000000000', 'alice')).toBeUndefined();
    await reached(engine, id, 'completed');
  });

  it('shows progress, kept within 0 to 100', async () => {
    const kind = createKind();
    let time = Date.UTC(2026, 0, 5);
    await using engine = await openTaskEngine({
      store: path,
      definitions: [kind.definition],
      now: () => time,
    });
    const { id, updatedAt } = await engine.start(request);
    expect(updatedAt).toBe('2026-01-05T00:00:00.000Z');
    const { context, finish } = await kind.started();
    time += 1_000;
    context.progress({ percent: 40, message: 'eu-west-1 done' });
    expect(await engine.get(id, 'alice')).toMatchObject({
      state: 'running',
      progress: { percent: 40, message: 'eu-west-1 done' },
      updatedAt: '2026-01-05T00:00:01.000Z',
    });
    context.progress({ percent: 400, message: '' });
    expect((await engine.get(id, 'alice'))?.progress.percent).toBe(100);
    context.progress({ percent: Number.NaN, message: '' });
    expect((await engine.get(id, 'alice'))?.progress.percent).toBe(0);
    finish.resolve({});
    await reached(engine, id, 'completed');
    context.progress({ percent: 1, message: 'too late' });
    expect(await engine.get(id, 'alice')).toMatchObject({ state: 'completed', progress: { percent: 100 } });
  });
});

describe('a failing handler', () => {
  it('shows the code and the public message of an error that has them', async () => {
    const error = Object.assign(new Error('POST http://10.0.0.1 409'), {
      code: 'conflict',
      publicMessage: 'Another deployment is running.',
    });
    await using engine = await openTaskEngine({
      store: path,
      definitions: [kindThat(() => Promise.reject(error))],
    });
    const { id } = await engine.start(request);
    expect(await reached(engine, id, 'failed')).toMatchObject({
      error: { code: 'conflict', message: 'Another deployment is running.' },
    });
  });

  it.each([
    ['an error', () => Promise.reject(new Error('secret detail'))],
    [
      'an error with a code only',
      () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNRESET' })),
    ],
    [
      'a synchronous throw',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['a result that JSON cannot hold', async () => ({ big: 1n }) as never],
    ['a result that is not an object', async () => undefined as never],
  ])('shows %s as internal, and logs it', async (_name, run) => {
    const error = vi.fn<(fields: object, message: string) => void>();
    const logger = { debug() {}, info() {}, warn() {}, error };
    await using engine = await openTaskEngine({ store: path, logger, definitions: [kindThat(run)] });
    const { id } = await engine.start(request);
    const task = await reached(engine, id, 'failed');
    expect(task?.error).toEqual({ code: 'internal', message: 'The task failed for an internal reason.' });
    expect(error).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ taskId: id, kind: 'deployment', err: expect.any(Error) }),
      'task failed for an internal reason',
    );
  });
});

describe('a handler that throws what nobody can read', () => {
  it.each([
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    [
      'a getter that throws',
      () =>
        Object.defineProperty(new Error('odd'), 'code', {
          get() {
            throw new Error('not readable');
          },
        }),
    ],
  ])('ends its task: %s', async (_what, thrown) => {
    // As a log does that writes each member of what it is given.
    const write = ({ err }: { readonly err?: unknown }) =>
      void String((err as { code?: unknown } | undefined)?.code);
    const logger = { debug: write, info: write, warn: write, error: write };
    await using engine = await openTaskEngine({
      store: ':memory:',
      logger,
      definitions: [kindThat(() => Promise.reject(thrown()))],
    });
    const { id } = await engine.start(request);
    expect(await reached(engine, id, 'failed')).toMatchObject({ error: { code: 'internal' } });
  });
});

describe('cancel', () => {
  it('ends a queued task at once, and its handler never runs', async () => {
    const kind = createKind();
    await using engine = await openTaskEngine({
      store: path,
      definitions: [kind.definition],
      concurrency: 1,
    });
    await engine.start(request);
    const second = await engine.start(request);
    await kind.started();
    expect(await engine.cancel(second.id, 'alice')).toMatchObject({ state: 'cancelled' });
    kind.runs[0]?.finish.resolve({});
    await engine.close();
    expect(kind.runs).toHaveLength(1);
  });

  it("reaches the handler's signal; the task is cancelled when the handler ends", async () => {
    const kind = createKind();
    await using engine = await openTaskEngine({ store: path, definitions: [kind.definition] });
    const { id } = await engine.start(request);
    const { context, finish } = await kind.started();
    expect(await engine.cancel(id, 'alice')).toMatchObject({ state: 'running' });
    expect(context.signal.reason).toMatchObject({ code: 'cancelled' });
    finish.reject(context.signal.reason);
    await reached(engine, id, 'cancelled');
  });

  it('returns an ended task as it is', async () => {
    await using engine = await openTaskEngine({
      store: path,
      definitions: [kindThat(async () => ({ ok: true }))],
    });
    const { id } = await engine.start(request);
    const ended = await reached(engine, id, 'completed');
    expect(await engine.cancel(id, 'alice')).toEqual(ended);
  });
});

describe('close', () => {
  it('lets running handlers end, starts no queued ones and takes no new ones', async () => {
    const kind = createKind();
    const engine = await openTaskEngine({ store: path, definitions: [kind.definition], concurrency: 1 });
    const first = await engine.start(request);
    const second = await engine.start(request);
    const { finish } = await kind.started();
    const closing = engine.close();
    await expect(engine.start(request)).rejects.toMatchObject({ code: 'closed' });
    await expect(engine.get(first.id, 'alice')).rejects.toMatchObject({ code: 'closed' });
    finish.resolve({ done: true });
    await closing;
    await engine.close();
    expect(kind.runs).toHaveLength(1);

    await using reopened = await openTaskEngine({ store: path, definitions: [kindThat(async () => ({}))] });
    expect(await reopened.get(first.id, 'alice')).toMatchObject({
      state: 'completed',
      result: { done: true },
    });
    await reached(reopened, second.id, 'completed');
  });

  it.each([
    ['fail', 'failed', 1],
    ['resume', 'completed', 2],
  ] as const)(
    'aborts what does not end in time; a kind that may %s is then %s',
    async (policy, state, runs) => {
      const kind = createKind('deployment', policy);
      const engine = await openTaskEngine({ store: path, definitions: [kind.definition] });
      const { id } = await engine.start(request);
      const { context, finish } = await kind.started();
      context.signal.addEventListener('abort', () => finish.reject(context.signal.reason));
      await engine.close({ deadlineMs: 0 });
      expect(context.signal.reason).toMatchObject({ code: 'interrupted' });

      let attempt = 1;
      const again: TaskDefinition = {
        ...kind.definition,
        run: async (_input, context) => {
          attempt = context.attempt;
          return {};
        },
      };
      await using reopened = await openTaskEngine({ store: path, definitions: [again] });
      await reached(reopened, id, state);
      expect(attempt).toBe(runs);
    },
  );

  it('abandons a handler that ignores its signal, and ignores what it does later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const kind = createKind();
    const engine = await openTaskEngine({ store: path, definitions: [kind.definition] });
    const { id } = await engine.start(request);
    await new Promise((resolve) => setImmediate(resolve));
    const closing = engine.close({ deadlineMs: 5_000 });
    await vi.advanceTimersByTimeAsync(6_000);
    await closing;
    vi.useRealTimers();
    kind.runs[0]?.finish.resolve({ late: true });
    kind.runs[0]?.context.progress({ percent: 99, message: 'late' });

    await using reopened = await openTaskEngine({ store: path, definitions: [kind.definition] });
    expect(await reopened.get(id, 'alice')).toMatchObject({
      state: 'failed',
      error: { code: 'interrupted' },
    });
  });
});

describe('openTaskEngine', () => {
  it('removes ended tasks after their time to live, by what it saw pass, and frees their key', async () => {
    const clocks = { wall: 1_000_000, steady: 0 };
    const open = () =>
      openTaskEngine({
        store: path,
        definitions: [kindThat(async () => ({}))],
        now: () => clocks.wall,
        elapsed: () => clocks.steady,
        ttlMs: 100_000,
      });
    const keyed = { ...request, idempotencyKey: 'key' };
    const engine = await open();
    const { id } = await engine.start(keyed);
    await reached(engine, id, 'completed');
    await engine.close();

    // A restart, and a clock that is a year ahead.
    clocks.wall += 366 * 24 * 3_600_000;
    const kept = await open();
    clocks.wall += 60_000;
    clocks.steady += 60_000;
    expect((await kept.start(keyed)).id).toBe(id);
    await vi.waitFor(() => expect(ageOf(path)).toBe(60_000), patience);
    clocks.wall += 60_000;
    clocks.steady += 60_000;
    await vi.waitFor(async () => expect(await kept.get(id, 'alice')).toBeUndefined(), patience);
    expect((await kept.start(keyed)).id).not.toBe(id);
    await kept.close();
  });

  it.each([
    [{ concurrency: 0 }, RangeError],
    [{ concurrency: 1.5 }, RangeError],
    [{ ttlMs: 0 }, RangeError],
    [{ leaseMs: 199 }, RangeError],
    [{ maxQueuedPerOwner: 0 }, RangeError],
    [{ store: '' }, TypeError],
    [{ ttlMs: Number.NaN }, RangeError],
    [{ definitions: [createKind().definition, createKind().definition] }, TypeError],
  ])('refuses %o', async (options, errorClass) => {
    await expect(openTaskEngine({ store: ':memory:', definitions: [], ...options })).rejects.toBeInstanceOf(
      errorClass,
    );
  });
});
