import { expect, it } from 'vitest';

import { briefError } from './brief-error.ts';

it('says what failed and what it came from, without stacks', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const failed = new TypeError('fetch failed', { cause: refused });
  const error = Object.assign(new Error('network, at list', { cause: failed }), { code: 'network' });
  expect(briefError(error)).toEqual({
    type: 'Error',
    code: 'network',
    message: 'network, at list',
    causes: ['TypeError: fetch failed', 'Error ECONNREFUSED: connect ECONNREFUSED'],
  });
});

it('stays below 1 KiB, whatever the messages and however deep the causes', () => {
  let error = new Error('x'.repeat(10_000));
  for (let depth = 0; depth < 50; depth += 1) {
    error = new Error('y'.repeat(10_000), { cause: error });
  }
  expect(JSON.stringify(briefError(error)).length).toBeLessThan(800);
});

it('takes what is no error', () => {
  expect(briefError('gone')).toEqual({ type: 'string', message: 'gone' });
  expect(briefError(undefined)).toEqual({ type: 'undefined', message: 'undefined' });
});

it('ends where a cause goes round in a circle', () => {
  const error = new Error('a');
  error.cause = error;
  expect(briefError(error).causes).toHaveLength(3);
});
