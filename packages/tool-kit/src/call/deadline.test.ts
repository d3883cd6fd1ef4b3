import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Deadline } from './deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([7_200_000, -7_200_000])('leaves a call what it had when the clock is set by %d ms', (stepMs) => {
  using deadline = new Deadline(10_000);
  vi.advanceTimersByTime(4_000);
  vi.setSystemTime(Date.now() + stepMs);
  const goOn = deadline.pause();
  vi.advanceTimersByTime(60_000);
  goOn();
  expect(deadline.at).toBe(Date.now() + 6_000);
  vi.advanceTimersByTime(5_999);
  expect(deadline.interruption).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(deadline.interruption).toBe('deadline_exceeded');
});
