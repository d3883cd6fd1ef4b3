import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { QueuedRecord, TaskRecord } from '../store/task-record.ts';
import { MAX_INTERRUPTIONS, type TaskEvent, transition } from './transition.ts';

const queued: QueuedRecord = {
  id: 'id',
  kind: 'deployment',
  ownerId: 'alice',
  inputDigest: 'digest',
  revision: 0,
  state: 'queued',
  attempt: 0,
  interruptions: 0,
  progress: { percent: 0, message: '' },
  questions: {},
  createdAt: 0,
  updatedAt: 0,
};

/** What the store does, and what the engine does. */
type Step = TaskEvent | { readonly type: 'claim' };

const key = fc.constantFrom('a', 'b', '__proto__');
const event: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ type: 'claim' } as const),
  fc.constant({ type: 'complete', result: { done: true } } as const),
  fc.constant({ type: 'fail', error: { code: 'conflict', message: 'Already running.' } } as const),
  fc.constant({ type: 'cancel', reason: 'enough' } as const),
  fc.record({ type: fc.constant('ask' as const), key, question: fc.constant({ sure: true }) }),
  fc.record({
    type: fc.constant('answer' as const),
    answers: fc.dictionary(key, fc.record({ yes: fc.nat() }), { maxKeys: 2 }),
  }),
  fc.record({
    type: fc.constant('interrupt' as const),
    policy: fc.constantFrom('fail' as const, 'resume' as const),
    crashed: fc.boolean(),
  }),
);

function step(task: TaskRecord, next: Step, at: number): TaskRecord | undefined {
  if (next.type !== 'claim') {
    return transition(task, next, { at, age: at, workerId: 'worker' });
  }
  return task.state === 'queued'
    ? {
        ...task,
        state: 'running',
        workerId: 'worker',
        attempt: task.attempt + 1,
        revision: task.revision + 1,
      }
    : undefined;
}

function run(events: readonly Step[]): TaskRecord[] {
  const history: TaskRecord[] = [queued];
  for (const [index, next] of events.entries()) {
    const task = step(history.at(-1) ?? queued, next, index + 1);
    if (task !== undefined) {
      history.push(task);
    }
  }
  return history;
}

const isFinal = ({ state }: TaskRecord) =>
  state === 'completed' || state === 'failed' || state === 'cancelled';

describe('transition', () => {
  it('never leaves a final state, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const history = run(events);
        expect(history.slice(0, -1).filter(isFinal)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('grows its revision by one with each change', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        expect(run(events).map(({ revision }) => revision)).toEqual([...run(events).keys()]);
      }),
    );
  });

  it('ends a task that took its process down too often, however it is resumed', () => {
    const crash = [{ type: 'claim' }, { type: 'interrupt', policy: 'resume', crashed: true }] as const;
    const handedBack = [{ type: 'claim' }, { type: 'interrupt', policy: 'resume', crashed: false }] as const;
    expect(run(Array.from({ length: 100 }, () => handedBack).flat()).at(-1)?.state).toBe('queued');
    expect(run(Array.from({ length: 100 }, () => crash).flat()).at(-1)).toMatchObject({
      state: 'failed',
      attempt: MAX_INTERRUPTIONS,
      error: { code: 'interrupted' },
    });
  });

  it('keeps every answer that was given, and takes none that was not asked for', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const history = run(events);
        for (const [index, task] of history.entries()) {
          const before = history[index - 1]?.questions ?? {};
          for (const [name, { answer }] of Object.entries(before)) {
            expect(answer === undefined || task.questions[name]?.answer === answer).toBe(true);
          }
        }
        const asked = new Set(events.flatMap((one) => (one.type === 'ask' ? [one.key] : [])));
        expect(Object.keys(history.at(-1)?.questions ?? {}).every((name) => asked.has(name))).toBe(true);
      }),
    );
  });

  it('keeps identity, owner, input and age', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(run(events).at(-1)).toMatchObject({
          id: 'id',
          kind: 'deployment',
          ownerId: 'alice',
          createdAt: 0,
        });
      }),
    );
  });

  it.each<[string, Step[], Partial<TaskRecord>]>([
    ['cancels a queued task at once', [{ type: 'cancel' }], { state: 'cancelled' }],
    [
      'keeps a cancelled task running until its handler ends',
      [{ type: 'claim' }, { type: 'cancel' }],
      { state: 'running' },
    ],
    [
      'is cancelled when the handler fails after a cancel request',
      [{ type: 'claim' }, { type: 'cancel' }, { type: 'fail', error: { code: 'x', message: '' } }],
      { state: 'cancelled' },
    ],
    [
      'is completed when the handler finishes in spite of a cancel request',
      [{ type: 'claim' }, { type: 'cancel' }, { type: 'complete', result: {} }],
      { state: 'completed' },
    ],
    [
      'never runs an interrupted task again when its policy is fail',
      [{ type: 'claim' }, { type: 'interrupt', policy: 'fail', crashed: true }, { type: 'claim' }],
      { state: 'failed', attempt: 1 },
    ],
    [
      'runs an interrupted task again when its policy is resume',
      [{ type: 'claim' }, { type: 'interrupt', policy: 'resume', crashed: true }, { type: 'claim' }],
      { state: 'running', attempt: 2 },
    ],
    [
      'runs a cancelled task again, so that it can undo what it did, and ends it as cancelled',
      [
        { type: 'claim' },
        { type: 'cancel' },
        { type: 'interrupt', policy: 'resume', crashed: true },
        { type: 'claim' },
        { type: 'fail', error: { code: 'x', message: '' } },
      ],
      { state: 'cancelled', attempt: 2 },
    ],
    [
      'does not end a task at once that ran before and is cancelled while it waits',
      [
        { type: 'claim' },
        { type: 'interrupt', policy: 'resume', crashed: false },
        { type: 'cancel', reason: 'enough' },
      ],
      { state: 'queued', cancel: { reason: 'enough' } },
    ],
  ])('%s', (_name, events, expected) => {
    expect(run(events).at(-1)).toMatchObject(expected);
  });
});
