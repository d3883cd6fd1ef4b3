import { createServer } from 'node:http';

import { decodeJwt, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTokenVerifier } from '../src/index.ts';
import type { TokenVerifier, TokenVerifierOptions } from '../src/index.ts';
import { AUDIENCE, newKey, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const MINUTE = 60_000;
let issuer: LocalIssuer;
let verifiers: TokenVerifier[];

beforeEach(async () => {
  // jose reads the clock itself; only the date is replaced, timers and sockets run as ever.
  vi.useFakeTimers({ toFake: ['Date'] });
  issuer = await startIssuer();
  verifiers = [];
});
afterEach(async () => {
  vi.useRealTimers();
  for (const verifier of verifiers) {
    await verifier.close();
  }
  await issuer.close();
});

function verifierFor(options: Partial<TokenVerifierOptions> = {}): TokenVerifier {
  const verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    ...options,
  });
  verifiers.push(verifier);
  return verifier;
}
const { signal } = new AbortController();
const advance = (ms: number) => vi.setSystemTime(Date.now() + ms);
const unavailable = { code: 'unavailable', retryAfterMs: expect.any(Number) };

describe('keys of the issuer', () => {
  it('are found through the metadata once, however many ask at the same time', async () => {
    const verifier = verifierFor();
    const token = await issuer.token();
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token, { signal })));
    expect(Object.fromEntries(issuer.requests)).toEqual({
      '/.well-known/oauth-authorization-server': 1,
      '/.well-known/openid-configuration': 1,
      '/jwks': 1,
    });
  });

  it('are looked for again when a token names a new one', async () => {
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    await issuer.rotate('key-2');
    advance(MINUTE);
    const principal = await verifier.verify(await issuer.token(), { signal });
    expect(principal.subject).toBe('alice');
  });

  it('are found within 30 s of a rotation while strangers make up key ids, and asked for no more often', async () => {
    const verifier = verifierFor();
    const seconds = 120;
    await verifier.verify(await issuer.token(), { signal });
    const flood = async (at: number) => {
      const madeUp = await Promise.all(
        Array.from({ length: 5 }, (_, i) => issuer.token({}, { kid: `made-up-${at}-${i}` })),
      );
      const verified = await Promise.allSettled(madeUp.map((token) => verifier.verify(token, { signal })));
      expect(verified.map(({ status }) => status)).not.toContain('fulfilled');
    };
    const isFound = async () => {
      const token = await issuer.token();
      return verifier.verify(token, { signal }).then(
        () => true,
        () => false,
      );
    };
    const rotatedAt = 70;
    let foundAt: number | undefined;
    for (let at = 0; at < seconds; at += 2) {
      await flood(at);
      if (at === rotatedAt) {
        await issuer.rotate('key-2');
      }
      if (at >= rotatedAt && foundAt === undefined && (await isFound())) {
        foundAt = at;
      }
      advance(2_000);
    }
    expect(foundAt).toBeLessThanOrEqual(rotatedAt + 30);
    expect(issuer.requests.get('/jwks')).toBeLessThanOrEqual(1 + seconds / 30);
  });

  it.each([
    ['without an id', undefined],
    ['of one id', 'key-1'],
  ])('that are several %s are tried one after the other', async (_, kid) => {
    const [other, stranger] = await Promise.all([newKey(kid), newKey(kid)]);
    await issuer.rotate(kid);
    issuer.others.push(other.jwk);
    const verifier = verifierFor();
    expect((await verifier.verify(await issuer.token({}, { kid }), { signal })).subject).toBe('alice');
    const forged = await new SignJWT(decodeJwt(await issuer.token()))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(kid !== undefined && { kid }) })
      .sign(stranger.privateKey);
    await expect(verifier.verify(forged, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it.each([
    ['the id of the one before', 'key-1'],
    ['no id', undefined],
  ])('are looked for again when a new one has %s', async (_, kid) => {
    await issuer.rotate(kid);
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    await issuer.rotate(kid);
    const token = await issuer.token();
    await expect(verifier.verify(token, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
    expect(issuer.requests.get('/jwks')).toBe(1);
    advance(30_000);
    expect((await verifier.verify(token, { signal })).subject).toBe('alice');
    expect(issuer.requests.get('/jwks')).toBe(2);
  });

  it('are found where the metadata says now, when they have moved', async () => {
    const verifier = verifierFor();
    const before = await issuer.token();
    await verifier.verify(before, { signal });
    issuer.keysPath = '/moved';
    await issuer.rotate('key-2');
    advance(MINUTE);
    expect((await verifier.verify(await issuer.token(), { signal })).subject).toBe('alice');
    await expect(verifier.verify(before, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
    expect(issuer.requests.get('/moved')).toBe(1);
  });

  it('that are known refuse a bad signature while the issuer cannot be asked for others', async () => {
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    const { privateKey } = await newKey('key-1');
    const forged = await new SignJWT(decodeJwt(await issuer.token()))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })
      .sign(privateKey);
    advance(MINUTE);
    issuer.fault = 'status';
    await expect(verifier.verify(forged, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('serve through an outage of the issuer for an hour, and no longer', async () => {
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    issuer.fault = 'status';
    advance(59 * MINUTE);
    await expect(verifier.verify(await issuer.token(), { signal })).resolves.toBeDefined();
    advance(2 * MINUTE);
    await expect(verifier.verify(await issuer.token(), { signal })).rejects.toMatchObject(unavailable);
  });

  it('are refreshed in the background when ten minutes old', async () => {
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    advance(11 * MINUTE);
    await verifier.verify(await issuer.token(), { signal });
    await vi.waitFor(() => expect(issuer.requests.get('/jwks')).toBe(2));
  });

  it('are looked at again, and waited for no longer than before, when the clock was set back', async () => {
    const verifier = verifierFor();
    await verifier.verify(await issuer.token(), { signal });
    advance(-60 * MINUTE);
    await expect(verifier.confirm?.(issuer.issuer, { signal })).resolves.toBeUndefined();
    expect(issuer.requests.get('/jwks')).toBe(2);

    const other = verifierFor();
    issuer.fault = 'status';
    await expect(other.verify(await issuer.token(), { signal })).rejects.toMatchObject(unavailable);
    issuer.fault = undefined;
    advance(-60 * MINUTE);
    await expect(other.verify(await issuer.token(), { signal })).resolves.toBeDefined();
  });

  it.each(['status', 'garbage', 'redirect', 'other-issuer'] as const)(
    'cannot be had when the issuer fails (%s): unavailable, and asked again only after a pause',
    async (fault) => {
      issuer.fault = fault;
      const verifier = verifierFor();
      const token = await issuer.token();
      await expect(verifier.verify(token, { signal })).rejects.toMatchObject(unavailable);
      const asked = [...issuer.requests.values()];
      await expect(verifier.verify(token, { signal })).rejects.toMatchObject(unavailable);
      expect([...issuer.requests.values()]).toEqual(asked);

      issuer.fault = undefined;
      advance(6_000);
      await expect(verifier.verify(await issuer.token(), { signal })).resolves.toBeDefined();
    },
  );

  it.each(['status', 'garbage', 'redirect'] as const)(
    'with jwksUrl, fail the same way (%s)',
    async (fault) => {
      issuer.fault = fault;
      const verifier = verifierFor({ jwksUrl: `${issuer.issuer}/jwks` });
      const verify = async () => verifier.verify(await issuer.token(), { signal });
      await expect(verify()).rejects.toMatchObject(unavailable);
      await expect(verify()).rejects.toMatchObject(unavailable);
      expect(issuer.requests.get('/jwks')).toBe(1);
    },
  );

  it('cannot be had from a closed port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => server.close(resolve));
    const verifier = verifierFor({ jwksUrl: `http://127.0.0.1:${port}/jwks` });
    await expect(verifier.verify(await issuer.token(), { signal })).rejects.toMatchObject(unavailable);
  });

  it('are not waited for by a caller who has gone', async () => {
    issuer.fault = 'hang';
    const leaving = new AbortController();
    const verifying = verifierFor().verify(await issuer.token(), { signal: leaving.signal });
    await vi.waitFor(() => expect(issuer.requests.size).toBe(1));
    leaving.abort(new Error('gone'));
    await expect(verifying).rejects.toThrow('gone');
  });

  it('are not waited for after close', async () => {
    issuer.fault = 'hang';
    const verifier = verifierFor();
    const verifying = verifier.verify(await issuer.token(), { signal });
    await vi.waitFor(() => expect(issuer.requests.size).toBe(1));
    const closing = verifier.close();
    await expect(verifying).rejects.toMatchObject(unavailable);
    await closing;
  });
});
