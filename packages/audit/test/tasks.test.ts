import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { openAuditTrail, type AuditIntent, type AuditTrailOptions } from '../src/index.ts';
import { storedEvents as readEvents } from './fixtures.ts';

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

const open = (name: string, isContinued?: AuditTrailOptions['isContinued']) =>
  openAuditTrail({
    directory: join(directory, name),
    sinks: [],
    server: { name: 'server', version: '1.0.0' },
    isContinued,
  });

const eventsOf = async (name: string) =>
  (await readEvents(join(directory, name))).map((event) => [
    event.stage,
    event.stage === 'outcome' ? event.result : event.taskId,
  ]);

it('leaves the intent of a task open that goes on, and gives it one outcome, whoever asks', async () => {
  const first = await open('a');
  const { reference } = await first.begin(intent);
  await first.close();

  const second = await open('a', (taskId) => taskId === 'task-1');
  const outcome = { result: 'success', durationMs: 5 } as const;
  await second.resume(reference, intent).finish(outcome);
  // The process died before it could note that.
  await second.resume(reference, intent).finish(outcome);
  await second.close();
  expect(await eventsOf('a')).toEqual([
    ['intent', 'task-1'],
    ['outcome', 'success'],
  ]);
});

it('records the outcome where the task ended', async () => {
  const first = await open('a');
  const { reference, id } = await first.begin(intent);
  const second = await open('b');
  await second.resume(reference, intent).finish({ result: 'failure', reason: 'cancelled', durationMs: 5 });
  await Promise.all([first.close(), second.close()]);
  expect(await readEvents(join(directory, 'b'))).toMatchObject([
    { stage: 'outcome', intentId: id, taskId: 'task-1', result: 'failure', reason: 'cancelled' },
  ]);
});

it('ends the intent of a task that nobody knows as interrupted', async () => {
  const first = await open('a');
  await first.begin(intent);
  await first.close();
  await (await open('a', () => false)).close();
  expect(await eventsOf('a')).toEqual([
    ['intent', 'task-1'],
    ['outcome', 'unknown'],
  ]);
});
