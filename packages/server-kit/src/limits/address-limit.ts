import { isIPv6 } from 'node:net';

import { createWindowCounter } from './window-counter.ts';

/** Holds back addresses that were refused too often, before anything is spent on them. */
export interface AddressLimit {
  /** How long the address has to wait, in milliseconds; 0 when it may go on. */
  readonly waitMs: (address: string | undefined) => number;
  /** Notes a refusal. */
  readonly refused: (address: string | undefined) => void;
}

/** Counts refusals of each address in a minute; of IPv6, of each network of a subscriber. */
export function createAddressLimit(maxPerMinute: number, now: () => number): AddressLimit {
  const refusals = createWindowCounter(now);
  return {
    waitMs: (address) =>
      address !== undefined && refusals.count(networkOf(address)) >= maxPerMinute ? refusals.resetMs() : 0,
    refused(address) {
      if (address !== undefined) {
        refusals.add(networkOf(address));
      }
    },
  };
}

/** A subscriber has a /64 at least (RFC 6177), so single addresses in it say nothing. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) {
    return address;
  }
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/u, '')).join(':');
}
