import { expect, it } from 'vitest';

import { createThrottle } from './throttle.ts';

it('opens when the longest wait that was asked for is over', () => {
  const throttle = createThrottle();
  expect(throttle.remainingMs(0, () => undefined)).toBe(0);
  throttle.holdBack(0, 5_000, undefined);
  throttle.holdBack(1_000, 1_000, undefined);
  expect(throttle.remainingMs(1_000, () => undefined)).toBe(4_000);
  expect(throttle.remainingMs(5_000, () => undefined)).toBe(0);
});

it('holds back the caller that was sent away, and nobody else', () => {
  const throttle = createThrottle();
  throttle.holdBack(0, 5_000, 'alice');
  expect(throttle.remainingMs(0, () => 'alice')).toBe(5_000);
  expect(throttle.remainingMs(0, () => 'bob')).toBe(0);
  expect(throttle.remainingMs(0, () => undefined)).toBe(0);
});

it('remembers a bounded number of callers, those first who still wait', () => {
  const throttle = createThrottle();
  throttle.holdBack(0, 60_000, 'patient');
  for (let i = 0; i < 999; i++) {
    throttle.holdBack(0, 1_000, String(i));
  }
  throttle.holdBack(2_000, 1_000, 'late');
  expect(throttle.remainingMs(2_000, () => 'patient')).toBe(58_000);
  for (let i = 0; i < 1_000; i++) {
    throttle.holdBack(2_000, 60_000, `other ${i}`);
  }
  expect(throttle.remainingMs(2_000, () => 'patient')).toBe(0);
  expect(throttle.remainingMs(2_000, () => 'other 999')).toBe(60_000);
});

it('holds back everybody when the server asked for it', () => {
  const throttle = createThrottle();
  throttle.holdBackAll(0, 5_000);
  throttle.holdBack(0, 9_000, 'alice');
  expect(throttle.remainingMs(0, () => 'bob')).toBe(5_000);
  expect(throttle.remainingMs(0, () => 'alice')).toBe(9_000);
  expect([throttle.heldBack(0), throttle.heldBack(5_000), throttle.heldBack(9_000)]).toEqual([2, 1, 0]);
  throttle.reset();
  expect(throttle.remainingMs(0, () => 'alice')).toBe(0);
});

it('asks for no name while nobody is held back', () => {
  const throttle = createThrottle();
  throttle.holdBack(0, 0, 'alice');
  expect(
    throttle.remainingMs(0, () => {
      throw new Error('a name was asked for');
    }),
  ).toBe(0);
});
