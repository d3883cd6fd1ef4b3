import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createBulkhead } from './bulkhead.ts';

interface Visitor {
  readonly controller: AbortController;
  readonly entry: Promise<string>;
  /** What the model of the bulkhead says of the entry. */
  expected: string;
}

describe('bulkhead', () => {
  it('keeps to its limits, serves in order and loses no place, whoever comes, gives up or leaves', async () => {
    const action = fc.constantFrom('come', 'come', 'come', 'leave', 'leave', 'giveUp');
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(action, { maxLength: 60 }),
        async (concurrency, queue, actions) => {
          const bulkhead = createBulkhead({ concurrency: concurrency, queue: queue });
          let running = 0;
          const waiting: Visitor[] = [];
          const everyone: Visitor[] = [];
          for (const next of actions) {
            if (next === 'come') {
              const controller = new AbortController();
              const visitor = { controller, entry: bulkhead.enter(controller.signal), expected: 'full' };
              everyone.push(visitor);
              if (running < concurrency) {
                running += 1;
                visitor.expected = 'entered';
              } else if (waiting.length < queue) {
                waiting.push(visitor);
              }
            } else if (next === 'leave' && running > 0) {
              bulkhead.leave();
              const first = waiting.shift();
              if (first === undefined) {
                running -= 1;
              } else {
                first.expected = 'entered';
              }
            } else if (next === 'giveUp') {
              const last = waiting.pop();
              last?.controller.abort();
              if (last !== undefined) {
                last.expected = 'stopped';
              }
            }
            expect(bulkhead.free()).toBe(concurrency - running);
          }
          for (const visitor of waiting) {
            visitor.controller.abort();
          }
          for (const visitor of waiting) {
            visitor.expected = 'stopped';
          }
          expect(await Promise.all(everyone.map(({ entry }) => entry))).toEqual(
            everyone.map(({ expected }) => expected),
          );
        },
      ),
    );
  });

  it('does not let in who is stopped already', async () => {
    const bulkhead = createBulkhead({ concurrency: 1, queue: 1 });
    expect(await bulkhead.enter(AbortSignal.abort())).toBe('stopped');
    expect(bulkhead.free()).toBe(1);
  });
});
