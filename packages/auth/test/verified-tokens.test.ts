import type { JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTokenVerifier } from '../src/index.ts';
import type { TokenVerifier } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const { signal } = new AbortController();
let issuer: LocalIssuer;
let verifier: TokenVerifier;
/** How often a signature was checked. */
let checks: () => number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  issuer = await startIssuer();
  const verify = vi.spyOn(crypto.subtle, 'verify');
  checks = () => verify.mock.calls.length;
  verifier = createTokenVerifier({ issuer: issuer.issuer, audience: AUDIENCE, algorithms: ['ES256'] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await verifier.close();
  await issuer.close();
});

/** A token that is known, with the keys it was verified by. */
async function knownToken(claims: JWTPayload = {}): Promise<string> {
  // The first finds the keys: what was verified while they changed is not remembered.
  await verifier.verify(await issuer.token(), { signal });
  const token = await issuer.token(claims);
  await verifier.verify(token, { signal }).catch(() => undefined);
  return token;
}

const advance = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a verified token', () => {
  it('has its signature checked once in 30 seconds', async () => {
    const token = await knownToken();
    const before = checks();
    advance(29_999);
    await verifier.verify(token, { signal });
    expect(checks()).toBe(before);
    advance(1);
    await verifier.verify(token, { signal });
    expect(checks()).toBe(before + 1);
  });

  it('is refused from the second in which it ends', async () => {
    const token = await knownToken({ exp: Math.floor(Date.now() / 1_000) + 5 });
    advance(5_000 + 9_000);
    await expect(verifier.verify(token, { signal })).resolves.toBeDefined();
    advance(2_000);
    await expect(verifier.verify(token, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('is checked again when a character of it is another', async () => {
    const token = await knownToken();
    const [header, claims, signature = ''] = token.split('.');
    const forged = `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    await expect(verifier.verify(forged, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('is checked again by new keys, and by a clock that was set back', async () => {
    const token = await knownToken();
    const before = checks();
    advance(-1_000);
    await verifier.verify(token, { signal });
    expect(checks()).toBe(before + 1);
    await issuer.rotate('key-2');
    // A minute after keys were loaded, a new one is looked for; by then the old one is withdrawn.
    advance(61_000);
    const later = await issuer.token();
    await verifier.verify(later, { signal });
    await expect(verifier.verify(token, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('is checked again when the keys are ten minutes old', async () => {
    await knownToken();
    advance(599_000);
    const token = await issuer.token();
    await verifier.verify(token, { signal });
    const before = checks();
    advance(1_000);
    await verifier.verify(token, { signal });
    expect(checks()).toBe(before + 1);
  });

  it('never stands for the key that it is bound to', async () => {
    const token = await knownToken({ cnf: { jkt: 'a'.repeat(43) } });
    const prove = vi.fn<() => Promise<void>>(() => Promise.resolve());
    await verifier.verify(token, { signal, prove });
    await verifier.verify(token, { signal, prove });
    expect(prove).toHaveBeenCalledTimes(2);
    await expect(verifier.verify(token, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('is forgotten for newer ones', async () => {
    const token = await knownToken();
    for (let other = 0; other < 5_000; other += 1) {
      await verifier.verify(await issuer.token({ jti: String(other) }), { signal });
    }
    const before = checks();
    await verifier.verify(token, { signal });
    expect(checks()).toBe(before + 1);
  });
});
