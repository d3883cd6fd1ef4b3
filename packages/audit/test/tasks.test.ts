import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import {
  createTrailAdoption,
  openAuditTrail,
  type AuditIntent,
  type AuditTrailOptions,
  type TaskEnd,
} from '../src/index.ts';
import { storedEvents as readEvents } from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'audit-tasks-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const intent: AuditIntent = {
  actor: { id: 'issuer#ada', kind: 'user', groups: [] },
  action: 'tools/call',
  target: 'trigger_deployment',
  taskId: 'task-1',
  correlationId: 'ref-1',
  transport: 'http',
  urgent: false,
};
const outcome = { result: 'success', durationMs: 5 } as const;

const open = (name: string, options: Partial<AuditTrailOptions> = {}) =>
  openAuditTrail({
    directory: join(directory, name),
    sinks: [],
    server: { name: 'server', version: '1.0.0' },
    ...options,
  });

const eventsOf = async (name: string) =>
  (await readEvents(join(directory, name))).map((event) => [
    event.stage,
    event.stage === 'outcome' ? event.result : event.taskId,
  ]);

it('leaves the intent of a task open that goes on, and gives it one outcome, whoever asks', async () => {
  const first = await open('a');
  const { id } = await first.begin(intent);
  await first.close();

  const second = await open('a', { outcomeOfTask: () => 'open' });
  expect(second.resume('task-1')?.id).toBe(id);
  await second.resume('task-1')?.finish(outcome);
  // The process died before it could note that.
  expect(second.resume('task-1')).toBeUndefined();
  await second.close();
  expect(await eventsOf('a')).toEqual([
    ['intent', 'task-1'],
    ['outcome', 'success'],
  ]);
});

it('finds no intent of a task in the trail of another process', async () => {
  await using first = await open('a');
  await using second = await open('b');
  await first.begin(intent);
  expect(second.resume('task-1')).toBeUndefined();
});

it('ends the intent of a task that nobody knows as interrupted', async () => {
  const first = await open('a');
  await first.begin(intent);
  await first.close();
  await (await open('a')).close();
  expect(await eventsOf('a')).toEqual([
    ['intent', 'task-1'],
    ['outcome', 'unknown'],
  ]);
});

it('ends the intent of a task that ended elsewhere as that did, at the next start', async () => {
  const first = await open('a');
  const { id } = await first.begin(intent);
  await first.close();
  const ended = { result: 'failure', reason: 'burnt' } as const;
  await (await open('a', { outcomeOfTask: async () => ended })).close();
  expect(await readEvents(join(directory, 'a'))).toMatchObject([
    { stage: 'intent' },
    { stage: 'outcome', intentId: id, taskId: 'task-1', ...ended, isElsewhere: true },
  ]);
});

it('ends it while the process lives, too, and once, though it is asked about before it is known', async () => {
  const timers = manualTimers();
  const asked: string[] = [];
  let end: TaskEnd;
  await using trail = await open('a', {
    setTimer: timers.setTimer,
    outcomeOfTask(taskId) {
      asked.push(taskId);
      return end;
    },
  });
  const entry = await trail.begin(intent);
  const look = async (count: number) => {
    timers.fire();
    await vi.waitFor(() => expect(asked).toHaveLength(count));
  };
  // Its task is just being stored.
  await look(1);
  await vi.waitFor(() => expect(timers.delays).toContain(10_000));
  end = 'open';
  await look(2);
  await vi.waitFor(() => expect(timers.delays).toContain(10_000));
  expect(trail.resume('task-1')?.id).toBe(entry.id);
  end = { result: 'success' };
  await look(3);
  await vi.waitFor(() => expect(trail.resume('task-1')).toBeUndefined());
  await expect(entry.finish(outcome)).rejects.toMatchObject({ code: 'already_finished' });
  expect(await eventsOf('a')).toEqual([
    ['intent', 'task-1'],
    ['outcome', 'success'],
  ]);
});

it('opens though nobody can tell what became of a task, and leaves its intent open', async () => {
  const first = await open('a');
  await first.begin(intent);
  await first.close();
  await using second = await open('a', { outcomeOfTask: () => Promise.reject(new Error('redis is gone')) });
  expect(second.resume('task-1')).toBeDefined();
});

it('ends the intents of orphaned trails once their tasks have ended', async () => {
  const orphan = await open('a');
  await orphan.begin(intent);
  await orphan.close();
  let end: TaskEnd = 'open';
  const outcomeOfTask = vi.fn<() => TaskEnd>(() => end);
  await using _adoption = createTrailAdoption({
    directories: async () => [join(directory, 'a')],
    intervalMs: 20,
    sinks: [{ name: 'everywhere', deliver: async () => undefined }],
    server: { name: 'server', version: '1.0.0' },
    outcomeOfTask,
  });
  // The second time there is nothing to be shipped any more.
  await vi.waitFor(() => expect(outcomeOfTask.mock.calls.length).toBeGreaterThan(1), { timeout: 10_000 });
  expect(await eventsOf('a')).toEqual([['intent', 'task-1']]);
  end = { result: 'success' };
  await vi.waitFor(async () => expect(await eventsOf('a')).toContainEqual(['outcome', 'success']), {
    timeout: 10_000,
  });
});
