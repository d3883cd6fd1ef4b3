import { expect, it } from 'vitest';

import { createAddressLimit, networkOf } from './address-limit.ts';

it('holds an address back once it was refused too often, for the rest of the minute', () => {
  let time = 0;
  const limit = createAddressLimit(2, () => time);
  limit.refused('192.0.2.1');
  expect(limit.waitMs('192.0.2.1')).toBe(0);
  limit.refused('192.0.2.1');
  time = 20_000;
  expect(limit.waitMs('192.0.2.1')).toBe(40_000);
  expect(limit.waitMs('192.0.2.2')).toBe(0);
  time = 60_000;
  expect(limit.waitMs('192.0.2.1')).toBe(0);
});

it('remembers a bounded number of addresses, and holds back those beyond them together', () => {
  const limit = createAddressLimit(2, () => 0);
  for (let index = 0; index < 10_000; index += 1) {
    limit.refused(`10.0.${index >> 8}.${index & 255}`);
  }
  limit.refused('192.0.2.1');
  limit.refused('192.0.2.2');
  expect(limit.waitMs('192.0.2.3')).toBeGreaterThan(0);
  expect(limit.waitMs('10.0.0.1')).toBe(0);
});

it.each([
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0db8:0000:0000:ffff::2', '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
])('takes %s for the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it('holds an address back for no longer than a minute, also when the clock is set back', () => {
  let time = 7_200_000;
  const limit = createAddressLimit(1, () => time);
  limit.refused('192.0.2.1');
  time = 0;
  expect(limit.waitMs('192.0.2.1')).toBeLessThanOrEqual(60_000);
  limit.refused('192.0.2.1');
  time = 60_000;
  expect(limit.waitMs('192.0.2.1')).toBe(0);
});
