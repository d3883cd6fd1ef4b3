import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { QueuedTask, StoredTask } from './task.ts';
import { type TaskEvent, transition } from './transition.ts';

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

const event: fc.Arbitrary<TaskEvent> = fc.oneof(
  fc.constant({ type: 'claim' } as const),
  fc.record({
    type: fc.constant('progress' as const),
    progress: fc.record({ percent: fc.nat(100), message: fc.string() }),
  }),
  fc.constant({ type: 'complete', result: { done: true } } as const),
  fc.constant({ type: 'fail', error: { code: 'conflict', message: 'Already running.' } } as const),
  fc.constant({ type: 'cancel' } as const),
  fc.record({
    type: fc.constant('interrupt' as const),
    policy: fc.constantFrom('fail' as const, 'retry' as const),
  }),
);

function run(events: readonly TaskEvent[]): StoredTask[] {
  const history: StoredTask[] = [queued];
  for (const [index, next] of events.entries()) {
    const task = transition(history.at(-1) ?? queued, next, index + 1);
    if (task !== undefined) {
      history.push(task);
    }
  }
  return history;
}

const isFinal = ({ state }: StoredTask) =>
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

  it('starts each run with the next attempt number, and ends after five', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const history = run(events);
        for (const [index, task] of history.entries()) {
          const before = history[index - 1];
          if (before === undefined) {
            continue;
          }
          const isClaim = before.state === 'queued' && task.state === 'running';
          expect(task.attempt - before.attempt).toBe(isClaim ? 1 : 0);
        }
        expect(history.at(-1)?.attempt).toBeLessThanOrEqual(5);
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

  it.each<[string, TaskEvent[], Partial<StoredTask>]>([
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
      [{ type: 'claim' }, { type: 'interrupt', policy: 'fail' }, { type: 'claim' }],
      { state: 'failed', attempt: 1 },
    ],
    [
      'runs an interrupted task again when its policy is retry',
      [{ type: 'claim' }, { type: 'interrupt', policy: 'retry' }, { type: 'claim' }],
      { state: 'running', attempt: 2 },
    ],
    [
      'does not retry what its owner cancelled',
      [{ type: 'claim' }, { type: 'cancel' }, { type: 'interrupt', policy: 'retry' }],
      { state: 'cancelled', attempt: 1 },
    ],
  ])('%s', (_name, events, expected) => {
    expect(run(events).at(-1)).toMatchObject(expected);
  });
});
