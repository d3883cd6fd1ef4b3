import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Logger, RateLimiter } from '../ports.ts';
import { createCallLimiter } from './call-limiter.ts';
import { createLocalPlaces } from './local-places.ts';
import { keepRunPlaces, leaveRunPlaces, runId, takeRunPlaces } from './run-places.ts';

const MINUTE_MS = 60_000;
const tool = { name: 'bake', limit: { concurrent: 1 }, longRunning: {} };
const logger = {
  debug: vi.fn<Logger['debug']>(),
  info: vi.fn<Logger['info']>(),
  warn: vi.fn<Logger['warn']>(),
  error: vi.fn<Logger['error']>(),
};
const holder = (id: string) => ({ tool, callerId: 'ada', id });
const consume: RateLimiter['consume'] = () => ({ allowed: true });

const refused = { what: 'concurrency', scope: 'tool' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As a process has it that shares the places with others. */
function process(places = createLocalPlaces()) {
  return createCallLimiter({ rateLimiter: { consume, ...places } });
}

describe('the place of a run', () => {
  it('is kept while the run goes on, and no longer than a minute when its process dies', async () => {
    const limiter = process();
    await takeRunPlaces(limiter, holder('first'));
    const kept = keepRunPlaces(limiter, holder('first'), logger);
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect(await takeRunPlaces(limiter, holder('second'))).toMatchObject(refused);
    kept[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(MINUTE_MS / 2);
    expect(await takeRunPlaces(limiter, holder('second'))).toMatchObject(refused);
    await vi.advanceTimersByTimeAsync(MINUTE_MS / 2);
    expect(await takeRunPlaces(limiter, holder('second'))).toHaveProperty('leave');
  });

  it('is kept for a task in the queue, and given back by whichever process sees its end', async () => {
    const places = createLocalPlaces();
    const [limiter, other] = [process(places), process(places)];
    await takeRunPlaces(limiter, holder('first'));
    await vi.advanceTimersByTimeAsync(59 * MINUTE_MS);
    expect(await takeRunPlaces(limiter, holder('second'))).toMatchObject(refused);
    await leaveRunPlaces(other, holder('first'), logger);
    expect(await takeRunPlaces(limiter, holder('second'))).toHaveProperty('leave');
  });

  it('is there for a run that goes on after a crash, also when another took the last one', async () => {
    const limiter = process();
    await takeRunPlaces(limiter, holder('second'));
    using _kept = keepRunPlaces(limiter, holder('first'), logger);
    await vi.advanceTimersByTimeAsync(1);
    await leaveRunPlaces(limiter, holder('second'), logger);
    expect(await takeRunPlaces(limiter, holder('third'))).toMatchObject(refused);
  });

  it('is free when it came after the end', async () => {
    const places = createLocalPlaces();
    const late = Promise.withResolvers<void>();
    const slow = createCallLimiter({
      rateLimiter: {
        consume,
        enter: async (...asked) => {
          await late.promise;
          return places.enter(...asked);
        },
      },
    });
    keepRunPlaces(slow, holder('first'), logger)[Symbol.dispose]();
    late.resolve();
    await vi.advanceTimersByTimeAsync(1);
    expect(await takeRunPlaces(process(places), holder('second'))).toHaveProperty('leave');
  });

  it('ends no run when it cannot be renewed', async () => {
    const enter = vi.fn<NonNullable<RateLimiter['enter']>>(async () => {
      throw new Error('gone');
    });
    const limiter = createCallLimiter({ rateLimiter: { consume, enter } });
    using _kept = keepRunPlaces(limiter, holder('first'), logger);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    await leaveRunPlaces(limiter, holder('first'), logger);
    expect(enter).toHaveBeenCalledTimes(5);
    expect(logger.warn).toHaveBeenCalledTimes(5);
  });
});

it('the same key of two callers is two runs', () => {
  expect(runId('task', 'ada', 'birthday')).toBe(runId('other task', 'ada', 'birthday'));
  expect(runId('task', 'ada', 'birthday')).not.toBe(runId('task', 'bob', 'birthday'));
  expect(runId('task', 'ada', undefined)).toBe('task');
});
