import { expect, it } from 'vitest';

import { createNotBeforeGate } from './throttle.ts';

it('opens when the longest wait that was asked for is over', () => {
  const gate = createNotBeforeGate();
  expect(gate.remainingMs(0)).toBe(0);
  gate.close(0, 5_000);
  gate.close(1_000, 1_000);
  expect(gate.remainingMs(1_000)).toBe(4_000);
  expect(gate.remainingMs(5_000)).toBe(0);
});
