import { expect, it } from 'vitest';

import { createBreaker } from './breaker.ts';

it('asks no more after three commands without a reply, but one in each second', () => {
  let time = 0;
  const breaker = createBreaker(() => time);
  breaker.timedOut();
  breaker.timedOut();
  expect([breaker.mayAsk(), breaker.isOpen()]).toEqual([true, false]);
  breaker.timedOut();
  expect([breaker.mayAsk(), breaker.isOpen()]).toEqual([false, true]);
  time = 1_000;
  expect([breaker.mayAsk(), breaker.mayAsk()]).toEqual([true, false]);
  breaker.timedOut();
  time = 1_999;
  expect(breaker.mayAsk()).toBe(false);
  time = 2_000;
  expect(breaker.mayAsk()).toBe(true);
  breaker.replied();
  expect([breaker.mayAsk(), breaker.mayAsk(), breaker.isOpen()]).toEqual([true, true, false]);
});

it('counts those in a row only', () => {
  const breaker = createBreaker(() => 0);
  for (let round = 0; round < 10; round += 1) {
    breaker.timedOut();
    breaker.timedOut();
    breaker.replied();
  }
  expect(breaker.isOpen()).toBe(false);
});
