import * as fc from 'fast-check';
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

  it.each([
    ['the first address of a network', '10.0.0.0'],
    ['the last address of a network', '172.31.255.255'],
    ['shared by carriers', '100.127.255.255'],
    ['protocol assignments', '192.0.0.8'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.255'],
    ['benchmarking', '198.19.255.255'],
    ['reserved', '240.0.0.1'],
    ['site-local', 'fec0::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['benchmarking', '2001:2::1'],
    ['discarded', '100::1'],
    ['translated within a network', '64:ff9b:1::a00:1'],
    ['translated', '64:ff9b::10.0.0.1'],
    ['IPv4-translated', '::ffff:0:10.0.0.1'],
    ['IPv4-compatible', '::10.0.0.1'],
    ['IPv4-compatible', '::8.8.8.8'],
    ['IPv4-mapped', '::ffff:192.168.1.1'],
    ['IPv4-mapped, in hexadecimal', '::ffff:a9fe:a9fe'],
    ['6to4 of a private address', '2002:a00:1::1'],
    ['Teredo of a private address', '2001:0:a00:1::f5ff:fffe'],
    ['multicast', 'ff02::1'],
    ['link-local, with a zone', 'fe80::1%eth0'],
    ['never given to anyone', '4000::1'],
    ['segment routing', '5f00::1'],
    ['no address', 'localhost'],
    ['empty', ''],
  ])('refuses what is %s: %s', (_, address) => expect(rule.isPublic(address)).toBe(false));

  it.each([
    '1.0.0.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '192.0.1.0',
    '198.17.255.255',
    '198.20.0.0',
    '203.0.112.255',
    '203.0.114.0',
    '223.255.255.255',
    '::ffff:808:808',
    '2001:4860:4860::8888',
    '2a00:1450::1',
  ])('lets %s through, which is next to one or looks like one', (address) =>
    expect(rule.isPublic(address)).toBe(true),
  );

  it('says of an IPv4 address the same in each spelling that only repeats it', () => {
    const byte = fc.nat(255);
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        const plain = `${a}.${b}.${c}.${d}`;
        const hex = [(a << 8) | b, (c << 8) | d].map((part) => part.toString(16)).join(':');
        expect(rule.isPublic(`::ffff:${plain}`)).toBe(rule.isPublic(plain));
        expect(rule.isPublic(`::ffff:${hex}`)).toBe(rule.isPublic(plain));
      }),
    );
  });

  it('lets no address through in a spelling that a translator may turn into one inside', () => {
    const part = fc.nat(0xffff).map((value) => value.toString(16));
    const prefixes = fc.constantFrom(
      '64:ff9b::',
      '64:ff9b:1::',
      '::',
      '::ffff:0:',
      'fec0::',
      'fd00::',
      'fe80::',
      'ff00::',
    );
    fc.assert(
      fc.property(prefixes, part, part, (prefix, high, low) => {
        expect(rule.isPublic(`${prefix}${high}:${low}`)).toBe(false);
        expect(rule.isPublic(`2002:${high}:${low}::1`)).toBe(false);
        expect(rule.isPublic(`2001:0:${high}:${low}::1`)).toBe(false);
      }),
    );
  });

  it.each(['http://[::1]:8080', 'http://2130706433', 'http://0x7f.1', 'https://[::ffff:127.0.0.1]'])(
    'sees through the spelling %s',
    (url) => expect(() => checkLiteralHost(new URL(url).origin, rule)).toThrow(TypeError),
  );

  it('leaves names to the lookup', () => {
    expect(() => checkLiteralHost('https://localhost', rule)).not.toThrow();
  });
});
