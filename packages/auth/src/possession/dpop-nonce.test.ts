import { describe, expect, it } from 'vitest';

import { createDpopNonces } from './dpop-nonce.ts';

const secret = 's'.repeat(32);

describe('createDpopNonces', () => {
  it('knows its nonces for as long as they live, and those of a replica with the same secret', () => {
    const clock = { now: 1_700_000_000_000 };
    const [ours, replicas, strangers] = [secret, secret, 't'.repeat(32)].map((secret) =>
      createDpopNonces({ secret, lifetimeSeconds: 60 }, () => clock.now),
    );
    const nonce = ours?.issue() ?? '';
    expect(nonce).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
    expect([ours, replicas, strangers].map((nonces) => nonces?.isGood(nonce))).toEqual([true, true, false]);
    clock.now += 60_000;
    expect(ours?.isGood(nonce)).toBe(true);
    clock.now += 1_000;
    expect(ours?.isGood(nonce)).toBe(false);
  });

  it('takes no other spelling of a nonce, and nothing made up', () => {
    const nonces = createDpopNonces({ secret }, () => 1_700_000_000_000);
    const nonce = nonces.issue();
    const [time = '', signature = ''] = nonce.split('.');
    const others = [
      '',
      '.',
      `0${nonce}`,
      `${time.toUpperCase()}.${signature}`,
      `${nonce} `,
      `${time}.`,
      `zzzzzz.${signature}`,
    ];
    expect(others.filter((other) => nonces.isGood(other))).toEqual([]);
  });

  it('has another secret in each process unless it is told one', () => {
    const [a, b] = [createDpopNonces({}, Date.now), createDpopNonces({}, Date.now)];
    expect(b.isGood(a.issue())).toBe(false);
  });

  it.each([{ secret: 'short' }, { secret, lifetimeSeconds: 9 }])('refuses %j', (options) => {
    expect(() => createDpopNonces(options, Date.now)).toThrow(/^nonces\./);
  });
});
