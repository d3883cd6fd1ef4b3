import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import type { EndedRecord, QueuedRecord, RunningRecord, TaskRecord } from '../store/task-record.ts';
import type { ClaimedTask, TaskStore } from '../store/task-store.ts';

/** Two views of one place, as two processes have them. */
export interface TaskStoreHarness extends AsyncDisposable {
  readonly store: TaskStore;
  /** The same tasks, opened again. @default the place belongs to one process, and what needs two is not checked */
  readonly other?: TaskStore | undefined;
}

/** One promise of the port; `check` rejects when it is broken. */
export interface ContractCase {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/**
 * The promises that every `TaskStore` keeps. Run each case in your test framework, for example
 * `it.each(taskStoreContract(open))('$name', ({ check }) => check())`. `open` is called once for each case, and gives
 * an empty store.
 */
export function taskStoreContract(open: () => Promise<TaskStoreHarness>): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async check() {
      await using harness = await open();
      await check(harness.store, harness.other ?? harness.store);
    },
  }));
}

type Check = (store: TaskStore, other: TaskStore) => Promise<void>;

const CASES: Readonly<Record<string, Check>> = {
  'gives back what was inserted, with its input': async (store, other) => {
    const record = aTask({ idempotencyKey: 'key' });
    const input = { service: 'payment', nested: { list: [1, null, 'zwölf'] } };
    assert.deepEqual(await store.insert(record, input, NO_LIMIT), { inserted: true });
    assert.deepEqual(await other.find(record.id), record);
    assert.deepEqual(await other.input(record.id), input);
    assert.equal(await store.find(randomUUID()), undefined);
    assert.equal(await store.input(randomUUID()), undefined);
  },

  'inserts one of fifty tasks with one key, and gives the others that one': async (store, other) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? store : other).insert(aTask({ idempotencyKey: 'key' }), {}, NO_LIMIT),
      ),
    );
    assert.equal(answers.filter(({ inserted }) => inserted).length, 1);
    const [first] = await store.list('alice', { limit: 10 });
    for (const answer of answers) {
      assert.ok(answer.inserted || answer.existing?.id === first?.id);
    }
  },

  'inserts a task once, whatever became of it since': async (store, other) => {
    const record = aTask();
    await store.insert(record, { n: 1 }, NO_LIMIT);
    const { record: running } = await claimed(store);
    const again = await other.insert(record, { n: 2 }, { maxQueued: 0 });
    assert.deepEqual(again, { inserted: false, existing: running });
    assert.deepEqual(await store.input(record.id), { n: 1 });
    assert.equal((await store.list('alice', { limit: 10 })).length, 1);
    assert.equal((await store.running()).length, 1);
  },

  'keeps the keys of owners and kinds apart': async (store) => {
    const variants = [{}, { ownerId: 'bob' }, { kind: 'other' }, { idempotencyKey: 'b' }];
    for (const variant of variants) {
      const answer = await store.insert(aTask({ idempotencyKey: 'a', ...variant }), {}, NO_LIMIT);
      assert.equal(answer.inserted, true);
    }
  },

  'refuses a task of an owner who has enough waiting, and of nobody else': async (store, other) => {
    const limit = { maxQueued: 3 };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : other).insert(aTask(), {}, limit)),
    );
    assert.equal(answers.filter(({ inserted }) => inserted).length, 3);
    assert.equal((await store.insert(aTask({ ownerId: 'bob' }), {}, limit)).inserted, true);
    await claimed(store);
    assert.equal((await store.insert(aTask(), {}, limit)).inserted, true);
  },

  'lists the tasks of one owner, newest first, in pages': async (store) => {
    const mine = [aTask(), aTask(), aTask()];
    for (const task of [mine[0], aTask({ ownerId: 'bob' }), mine[1], mine[2]]) {
      await store.insert(task ?? aTask(), {}, NO_LIMIT);
    }
    const idsOf = (records: readonly TaskRecord[]) => records.map(({ id }) => id);
    const first = idsOf(await store.list('alice', { limit: 2 }));
    assert.deepEqual(first, [mine[2]?.id, mine[1]?.id]);
    assert.deepEqual(idsOf(await store.list('alice', { after: first[1], limit: 2 })), [mine[0]?.id]);
    assert.deepEqual(await store.list('carol', { limit: 2 }), []);
  },

  'gives each queued task to one of many workers': async (store, other) => {
    const tasks = Array.from({ length: 20 }, () => aTask());
    await Promise.all(tasks.map((task) => store.insert(task, { id: task.id }, NO_LIMIT)));
    const claims = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        claim(index % 2 === 0 ? store : other, { workerId: `worker-${index}` }),
      ),
    );
    const got = claims.filter((task) => task !== undefined);
    assert.deepEqual(got.map(({ record }) => record.id).toSorted(), tasks.map(({ id }) => id).toSorted());
    for (const { record, input } of got) {
      assert.deepEqual([record.state, record.attempt, record.revision], ['running', 1, 1]);
      assert.deepEqual(input, { id: record.id });
      assert.deepEqual(await other.find(record.id), record);
    }
  },

  'takes only the kinds that the worker knows': async (store) => {
    await store.insert(aTask({ kind: 'other' }), {}, NO_LIMIT);
    assert.equal(await claim(store), undefined);
    assert.equal((await claim(store, { kinds: ['work', 'other'] }))?.record.kind, 'other');
  },

  'lets a caller with one task not wait for one with many': async (store) => {
    for (let index = 0; index < 20; index += 1) {
      await store.insert(aTask({ ownerId: 'alice' }), {}, NO_LIMIT);
    }
    const first = await claimed(store);
    await store.insert(aTask({ ownerId: 'bob' }), {}, NO_LIMIT);
    assert.equal((await claimed(store)).record.ownerId, 'bob');
    // And when nobody has a running task, whose turn was longest ago.
    await store.replace(first.record, end(first.record));
    await store.insert(aTask({ ownerId: 'carol' }), {}, NO_LIMIT);
    assert.equal((await claimed(store)).record.ownerId, 'carol');
  },

  'runs no more tasks of one owner than it may': async (store) => {
    for (const ownerId of ['alice', 'alice', 'alice', 'bob']) {
      await store.insert(aTask({ ownerId }), {}, NO_LIMIT);
    }
    const owners: (string | undefined)[] = [];
    for (let index = 0; index < 4; index += 1) {
      owners.push((await claim(store, { maxRunning: 2 }))?.record.ownerId);
    }
    assert.deepEqual(owners.map(String).toSorted(), ['alice', 'alice', 'bob', 'undefined']);
  },

  'lets one of two changes to one revision happen': async (store, other) => {
    await store.insert(aTask(), {}, NO_LIMIT);
    const { record } = await claimed(store);
    const ends = await Promise.all([
      store.replace(record, end(record)),
      other.replace(record, { ...record, revision: record.revision + 1, cancel: { reason: 'enough' } }),
    ]);
    assert.equal(ends.filter(Boolean).length, 1);
    assert.equal((await other.find(record.id))?.revision, record.revision + 1);
  },

  'gives a task that was handed back to another worker, in its next attempt': async (store, other) => {
    await store.insert(aTask(), { a: 1 }, NO_LIMIT);
    const { record } = await claimed(store);
    const { workerId: _, ...rest } = record;
    assert.equal(await store.replace(record, { ...rest, state: 'queued', revision: 2 }), true);
    const again = await claimed(other, 'another');
    assert.deepEqual([again.record.attempt, again.record.workerId, again.input], [2, 'another', { a: 1 }]);
    assert.equal(await store.replace(record, end(record)), false);
  },

  'takes progress and steps of the running attempt only': async (store, other) => {
    await store.insert(aTask(), {}, NO_LIMIT);
    const { record } = await claimed(store);
    const progress = { percent: 40, message: 'eu is done' };
    assert.equal(await store.report(record.id, 1, progress, record.updatedAt + 5), true);
    assert.equal(await store.report(record.id, 2, { percent: 1, message: '' }, record.updatedAt + 9), false);
    const seen = await other.find(record.id);
    assert.deepEqual([seen?.progress, seen?.updatedAt], [progress, record.updatedAt + 5]);
    assert.equal(seen?.revision, record.revision);
    assert.equal(await store.saveStep(record.id, 1, 'create', { id: 'dep-1' }), true);
    assert.equal(await store.saveStep(record.id, 0, 'create', 'stale'), false);
    assert.deepEqual(await other.steps(record.id), new Map([['create', { id: 'dep-1' }]]));
    await store.replace(record, end(record));
    assert.equal(await store.report(record.id, 1, progress, 1), false);
    assert.equal(await store.saveStep(record.id, 1, 'late', 'stale'), false);
  },

  'shows what runs, what waits and whose end is not settled': async (store, other) => {
    const [running, waiting, done] = [aTask(), aTask({ createdAt: 500 }), aTask()];
    await store.insert(running, {}, NO_LIMIT);
    const { record } = await claimed(store);
    await store.insert(done, {}, NO_LIMIT);
    const ended = end((await claimed(store)).record);
    await store.replace((await store.find(done.id)) as RunningRecord, ended);
    await store.insert(waiting, {}, NO_LIMIT);
    assert.deepEqual(await other.running(), [record]);
    assert.deepEqual(await other.unsettled(), [ended]);
    assert.deepEqual(await other.waiting(501, 10), [waiting]);
    assert.deepEqual(await other.waiting(500, 10), []);
    await store.replace(ended, { ...ended, isSettled: true, revision: ended.revision + 1 });
    assert.deepEqual(await other.unsettled(), []);
  },

  'counts the beats of workers': async (store, other) => {
    await store.beat('a');
    const before = (await other.beats()).get('a') ?? 0;
    await store.beat('a');
    await other.beat('b');
    const after = await store.beats();
    assert.ok((after.get('a') ?? 0) > before);
    assert.deepEqual([...after.keys()].toSorted(), ['a', 'b']);
    await store.removeWorkers(['a']);
    assert.deepEqual([...(await other.beats()).keys()], ['b']);
  },

  'ages by no more than anybody has seen pass': async (store, other) => {
    const start = await store.grow(1_000, 0);
    assert.equal(await store.grow(2_000, 1_000), start + 1_000);
    // Another process, which saw the same second.
    assert.equal(await other.grow(2_000, 1_000), start + 1_000);
    // The clock was set ahead by a day, and back.
    assert.equal(await store.grow(86_400_000, 60_000), start + 61_000);
    assert.equal(await store.grow(3_000, 60_000), start + 61_000);
    assert.equal(await other.grow(4_000, 60_000), start + 62_000);
  },

  'removes what ended long ago and is settled, and nothing else': async (store, other) => {
    const tasks = [aTask({ idempotencyKey: 'k' }), aTask(), aTask(), aTask()];
    for (const [index, task] of tasks.entries()) {
      await store.insert(task, {}, NO_LIMIT);
      if (index < 3) {
        const { record } = await claimed(store);
        await store.saveStep(record.id, 1, 'step', 1);
        const settled = { ...end(record), endedAge: index === 2 ? 200 : 100, isSettled: index !== 1 };
        await store.replace(record, settled);
      }
    }
    await store.removeEnded(150);
    const left = await Promise.all(tasks.map(({ id }) => other.find(id)));
    assert.deepEqual(
      left.map((task) => task?.id),
      [undefined, tasks[1]?.id, tasks[2]?.id, tasks[3]?.id],
    );
    assert.equal(await store.input(tasks[0]?.id ?? ''), undefined);
    assert.equal((await store.steps(tasks[0]?.id ?? '')).size, 0);
    assert.equal((await store.insert(aTask({ idempotencyKey: 'k' }), {}, NO_LIMIT)).inserted, true);
  },
};

const NO_LIMIT = { maxQueued: 1_000 };

function aTask(overrides: Partial<QueuedRecord> = {}): QueuedRecord {
  return {
    id: randomUUID(),
    kind: 'work',
    ownerId: 'alice',
    inputDigest: 'digest',
    state: 'queued',
    revision: 0,
    attempt: 0,
    interruptions: 0,
    progress: { percent: 0, message: '' },
    questions: {},
    createdAt: 1_000,
    updatedAt: 1_000,
    ...overrides,
  };
}

function end(record: RunningRecord): EndedRecord {
  return {
    ...record,
    state: 'completed',
    revision: record.revision + 1,
    result: { done: true },
    endedAge: 100,
    isSettled: false,
  };
}

function claim(
  store: TaskStore,
  request: Partial<Parameters<TaskStore['claim']>[0]> = {},
): Promise<ClaimedTask | undefined> {
  return store.claim({ workerId: 'worker', kinds: ['work'], maxRunning: 100, at: 2_000, ...request });
}

async function claimed(store: TaskStore, workerId = 'worker'): Promise<ClaimedTask> {
  const task = await claim(store, { workerId });
  assert.ok(task !== undefined, 'no task could be claimed');
  return task;
}
