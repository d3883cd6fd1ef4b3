import { expect, it } from 'vitest';

import { withoutPort } from './origin.ts';

it.each([
  ['203.0.113.8:51234', '203.0.113.8'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['[::1]', '::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
])('takes %s for the address %s', (written, address) => {
  expect(withoutPort(written)).toBe(address);
});
