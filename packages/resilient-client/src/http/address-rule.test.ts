import { describe, expect, it } from 'vitest';

import { checkLiteralHost, createAddressRule } from './address-rule.ts';

const rule = createAddressRule();

describe('address rule', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
  ])('counts %s as private', (address) => expect(rule.isPublic(address)).toBe(false));

  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
    'counts %s as public',
    (address) => expect(rule.isPublic(address)).toBe(true),
  );

  it.each(['http://[::1]:8080', 'http://2130706433', 'http://0x7f.1', 'https://[::ffff:127.0.0.1]'])(
    'sees through the spelling %s',
    (url) => expect(() => checkLiteralHost(new URL(url).origin, rule)).toThrow(TypeError),
  );

  it('leaves names to the lookup', () => {
    expect(() => checkLiteralHost('https://localhost', rule)).not.toThrow();
  });
});
