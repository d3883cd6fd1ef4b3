import { expect, it } from 'vitest';

import { createThrottle } from './throttle.ts';

it('opens when the longest wait that was asked for is over', () => {
  const throttle = createThrottle();
  expect(throttle.remainingMs(0)).toBe(0);
  throttle.holdBack(0, 5_000);
  throttle.holdBack(1_000, 1_000);
  expect(throttle.remainingMs(1_000)).toBe(4_000);
  expect(throttle.remainingMs(5_000)).toBe(0);
});
