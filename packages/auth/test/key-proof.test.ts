import { createHash, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  challengeFor,
  createAuthenticator,
  createKeyProofs,
  createPolicy,
  createReplayMemory,
  createTokenVerifier,
  isAuthError,
} from '../src/index.ts';
import type { Authenticator, KeyProofsOptions, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, forgeToken, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const CANARY = 'canary-5f1d';
const NOW = Date.UTC(2026, 0, 15);
const certificate = new TextEncoder().encode('a certificate in DER');
const hash = (value: string | Uint8Array) => createHash('sha256').update(value).digest('base64url');
const { signal } = new AbortController();
const policy = createPolicy({ version: 1, permissions: ['deploy:read'], groups: [], grants: [] });

let issuer: LocalIssuer;
let verifier: TokenVerifier;
let key: { privateKey: CryptoKey; jwk: JWK; jkt: string };
const clock = { now: NOW };

async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) };
}

beforeAll(async () => {
  issuer = await startIssuer(() => NOW);
  key = await newKey();
  verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    jwksUrl: `${issuer.issuer}/jwks`,
    now: () => NOW,
  });
});
afterAll(async () => {
  await verifier.close();
  await issuer.close();
});
beforeEach(() => {
  clock.now = NOW;
});

function authenticatorWith(options: KeyProofsOptions = {}): Authenticator {
  const proofs = createKeyProofs({ now: () => clock.now, ...options });
  return createAuthenticator({ verifier, policy, proofs });
}

const boundToken = () => issuer.token({ cnf: { jkt: key.jkt }, name: CANARY });

async function proofFor(
  token: string,
  claims: object = {},
  header: Record<string, unknown> = {},
  signingKey = key.privateKey,
): Promise<string> {
  const payload = {
    jti: randomUUID(),
    htm: 'POST',
    htu: AUDIENCE,
    iat: NOW / 1000,
    ath: hash(token),
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(signingKey);
}

const post = (dpop?: string) => ({ method: 'POST', url: AUDIENCE, dpop });

describe('a token that is bound to a key', () => {
  it('is accepted with a proof of that key', async () => {
    const token = await boundToken();
    const request = post(await proofFor(token));
    const caller = await authenticatorWith().authenticate(`DPoP ${token}`, { signal, request });
    expect(caller).toMatchObject({ subject: 'alice' });
    expect(JSON.stringify(caller)).not.toContain(key.jkt);
  });

  it('takes another spelling of the URL, its query and a trailing slash for the same', async () => {
    const token = await boundToken();
    const request = post(await proofFor(token, { htu: 'HTTPS://MCP.example.test:443/mcp/?a=1#b' }));
    await expect(
      authenticatorWith().authenticate(`dpop ${token}`, { signal, request }),
    ).resolves.toBeDefined();
  });

  interface BadProof {
    readonly what: string;
    readonly reason: string;
    readonly proof: (token: string) => Promise<string | undefined> | string;
  }
  const bad: readonly BadProof[] = [
    { what: 'no proof', reason: 'missing', proof: async () => undefined },
    { what: 'another method', reason: 'another method', proof: (token) => proofFor(token, { htm: 'GET' }) },
    {
      what: 'a method in another case',
      reason: 'another method',
      proof: (token) => proofFor(token, { htm: 'post' }),
    },
    {
      what: 'another URL',
      reason: 'another URL',
      proof: (token) => proofFor(token, { htu: `https://mcp.example.test/${CANARY}` }),
    },
    {
      what: 'another port',
      reason: 'another URL',
      proof: (token) => proofFor(token, { htu: 'https://mcp.example.test:8443/mcp' }),
    },
    ...[
      'https://x@mcp.example.test/mcp',
      'https://mcp.example.test/other/../mcp',
      'https://mcp.example.test/%2e/mcp',
      'https://mcp.example.test\\mcp',
      ' https://mcp.example.test/mcp',
      'https://mcp.exam\tple.test/mcp',
      'https://mcp.example.test:/mcp',
      'https://mcp.example.test/MCP',
      'https:mcp.example.test/mcp',
      'wss://mcp.example.test/mcp',
    ].map((htu) => ({
      what: `the URL ${JSON.stringify(htu)}`,
      reason: 'another URL',
      proof: (token: string) => proofFor(token, { htu }),
    })),
    { what: 'padding', reason: 'ERR_JWS_INVALID', proof: async (token) => `${await proofFor(token)}=` },
    { what: 'no URL', reason: 'another URL', proof: (token) => proofFor(token, { htu: CANARY }) },
    {
      what: 'a proof that is too old',
      reason: 'too old',
      proof: (token) => proofFor(token, { iat: NOW / 1000 - 61 }),
    },
    {
      what: 'a proof from the future',
      reason: 'in the future',
      proof: (token) => proofFor(token, { iat: NOW / 1000 + 11 }),
    },
    {
      what: 'a proof without time',
      reason: 'unusable claims',
      proof: (token) => proofFor(token, { iat: undefined }),
    },
    {
      what: 'a proof without id',
      reason: 'unusable claims',
      proof: (token) => proofFor(token, { jti: undefined }),
    },
    { what: 'a proof for another token', reason: 'another token', proof: () => proofFor('another') },
    {
      what: 'a proof without token hash',
      reason: 'unusable claims',
      proof: (token) => proofFor(token, { ath: undefined }),
    },
    {
      what: 'a proof by another key',
      reason: 'another key',
      proof: async (token) => {
        const other = await newKey();
        return proofFor(token, {}, { jwk: other.jwk }, other.privateKey);
      },
    },
    {
      what: 'the right key with a signature of another',
      reason: 'ERR_JWS_SIGNATURE',
      proof: async (token) => proofFor(token, {}, {}, (await newKey()).privateKey),
    },
    {
      what: 'another type',
      reason: 'CLAIM_VALIDATION',
      proof: (token) => proofFor(token, {}, { typ: 'JWT' }),
    },
    { what: 'no key', reason: 'ERR_J', proof: (token) => proofFor(token, {}, { jwk: undefined }) },
    {
      what: 'a private key in the header',
      reason: 'refused',
      proof: async (token) => proofFor(token, {}, { jwk: await exportJWK(key.privateKey) }),
    },
    {
      what: 'a symmetric key',
      reason: 'ALG_NOT_ALLOWED',
      proof: (token) =>
        forgeToken(
          { alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'AA' } },
          { ath: hash(token) },
          'x',
        ),
    },
    {
      what: 'no algorithm',
      reason: 'ALG_NOT_ALLOWED',
      proof: (token) => forgeToken({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk }, { ath: hash(token) }),
    },
    {
      what: 'two proofs',
      reason: 'ERR_JW',
      proof: async (token) => `${await proofFor(token)}, ${await proofFor(token)}`,
    },
    { what: 'no JWT', reason: 'ERR_JW', proof: () => CANARY },
    { what: 'more than 8 KiB', reason: '8 KiB', proof: (token) => proofFor(token, { x: 'x'.repeat(8_192) }) },
  ];

  it.each(bad)('is refused with $what', async ({ reason, proof }) => {
    const token = await boundToken();
    const request = post(await proof(token));
    const error: unknown = await authenticatorWith()
      .authenticate(`DPoP ${token}`, { signal, request })
      .catch((cause: unknown) => cause);
    if (!isAuthError(error)) {
      throw new Error(`not refused by an AuthError: ${inspect(error)}`);
    }
    expect(error).toMatchObject({ code: 'invalid_proof', message: expect.stringContaining(reason) });
    const challenge = challengeFor(error, {
      resourceMetadataUrl: 'https://mcp.example.test/meta',
      scopes: [],
      dpopAlgorithms: ['ES256'],
    });
    expect(challenge.status).toBe(401);
    expect(challenge.headers['www-authenticate']).toMatch(/^DPoP error="invalid_dpop_proof"/);
    expect(inspect({ error, challenge }, { depth: Infinity, showHidden: true })).not.toContain(CANARY);
  });

  it('is refused when the proof is used a second time, at once or for as long as it is good', async () => {
    const authenticator = authenticatorWith();
    const token = await boundToken();
    const request = post(await proofFor(token));
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => authenticator.authenticate(`DPoP ${token}`, { signal, request })),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    // As old as it may be.
    clock.now += 60_000;
    await expect(authenticator.authenticate(`DPoP ${token}`, { signal, request })).rejects.toMatchObject({
      code: 'invalid_proof',
      message: expect.stringContaining('used before'),
    });
  });

  it('is refused as a bearer token, with proof or without', async () => {
    const token = await boundToken();
    for (const request of [post(), post(await proofFor(token))]) {
      await expect(
        authenticatorWith().authenticate(`Bearer ${token}`, { signal, request }),
      ).rejects.toMatchObject({ code: 'invalid_proof' });
    }
  });

  it('is refused where no proof can be checked', async () => {
    const token = await boundToken();
    const plain = createAuthenticator({ verifier, policy });
    await expect(plain.authenticate(`Bearer ${token}`, { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
    await expect(plain.authenticate(`DPoP ${token}`, { signal })).rejects.toMatchObject({
      code: 'missing_token',
    });
    await expect(authenticatorWith().authenticateToken(token, { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  it('cannot be replayed because the memory is full: then nothing is decided', async () => {
    const replays = { claim: () => Promise.reject(new Error('full')) };
    const token = await boundToken();
    const request = post(await proofFor(token));
    await expect(
      authenticatorWith({ replays }).authenticate(`DPoP ${token}`, { signal, request }),
    ).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a server that wants nonces', () => {
  const nonces = { secret: 's'.repeat(32), lifetimeSeconds: 60 };

  async function refusalOf(authenticator: Authenticator, token: string, dpop: string) {
    const error: unknown = await authenticator
      .authenticate(`DPoP ${token}`, { signal, request: post(dpop) })
      .catch((cause: unknown) => cause);
    if (!isAuthError(error)) {
      throw new Error(`not refused by an AuthError: ${inspect(error)}`);
    }
    const options = {
      resourceMetadataUrl: 'https://mcp.example.test/meta',
      scopes: [],
      dpopAlgorithms: ['ES256'],
    };
    const { status, headers } = challengeFor(error, options);
    return { status, challenge: headers['www-authenticate'] ?? '', nonce: headers['dpop-nonce'] };
  }

  it('gives a client one, and takes the proof that holds it', async () => {
    const authenticator = authenticatorWith({ nonces });
    const token = await boundToken();
    const { status, challenge, nonce } = await refusalOf(authenticator, token, await proofFor(token));
    expect(status).toBe(401);
    expect(challenge).toMatch(/^DPoP error="use_dpop_nonce"/);
    const dpop = await proofFor(token, { nonce });
    const request = post(dpop);
    await expect(authenticator.authenticate(`DPoP ${token}`, { signal, request })).resolves.toBeDefined();
    // A nonce is no licence to use a proof twice.
    expect(await refusalOf(authenticator, token, dpop)).toMatchObject({
      nonce: undefined,
      challenge: expect.stringContaining('invalid_dpop_proof'),
    });
    // The replica knows it too.
    const again = post(await proofFor(token, { nonce }));
    await expect(
      authenticatorWith({ nonces }).authenticate(`DPoP ${token}`, { signal, request: again }),
    ).resolves.toBeDefined();
  });

  it.each(['made-up', '', 'a.b'])('gives a new one for the nonce %j', async (nonce) => {
    const token = await boundToken();
    const refusal = await refusalOf(authenticatorWith({ nonces }), token, await proofFor(token, { nonce }));
    expect(refusal).toMatchObject({
      nonce: expect.any(String),
      challenge: expect.stringContaining('use_dpop_nonce'),
    });
  });

  it('gives none away to a proof that is wrong for another reason', async () => {
    const token = await boundToken();
    const refusal = await refusalOf(authenticatorWith({ nonces }), token, await proofFor('another'));
    expect(refusal.nonce).toBeUndefined();
  });

  it('refuses a secret that could be guessed', () => {
    expect(() => createKeyProofs({ nonces: { secret: 'short' } })).toThrow('nonces.secret');
  });
});

describe('the memory of used proofs', () => {
  it('is full for who fills it, and for nobody else', async () => {
    const authenticator = authenticatorWith({
      replays: createReplayMemory({ maxEntries: 30, now: () => NOW }),
    });
    const send = async (sub: string) => {
      // Another key each time: it is the account whose share counts.
      const own = await newKey();
      const token = await issuer.token({ sub, cnf: { jkt: own.jkt } });
      const request = post(await proofFor(token, {}, { jwk: own.jwk }, own.privateKey));
      return authenticator.authenticate(`DPoP ${token}`, { signal, request });
    };
    const flood = await Promise.allSettled(Array.from({ length: 10 }, () => send('flood')));
    expect(flood.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    await expect(send('flood')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(send('alice')).resolves.toMatchObject({ subject: 'alice' });
  });
});

describe('a token that is not bound', () => {
  it('is refused as a DPoP token, even with a good proof', async () => {
    const token = await issuer.token();
    const request = post(await proofFor(token));
    await expect(
      authenticatorWith().authenticate(`DPoP ${token}`, { signal, request }),
    ).rejects.toMatchObject({ code: 'invalid_token', message: expect.stringContaining('not bound') });
  });

  it('is still a bearer token', async () => {
    const token = await issuer.token();
    await expect(
      authenticatorWith().authenticate(`Bearer ${token}`, { signal, request: post() }),
    ).resolves.toMatchObject({ subject: 'alice' });
  });
});

describe('a token that is bound to a certificate', () => {
  const tokenFor = (extra: object = {}) => issuer.token({ cnf: { 'x5t#S256': hash(certificate), ...extra } });
  const call = async (token: string, certificate?: Uint8Array) =>
    authenticatorWith().authenticate(`Bearer ${token}`, { signal, request: { ...post(), certificate } });

  it('is accepted over a connection with that certificate only', async () => {
    await expect(call(await tokenFor(), certificate)).resolves.toMatchObject({ subject: 'alice' });
    await expect(call(await tokenFor(), new TextEncoder().encode('other'))).rejects.toMatchObject({
      code: 'invalid_token',
      message: expect.stringContaining('another certificate'),
    });
    await expect(call(await tokenFor())).rejects.toMatchObject({
      message: expect.stringContaining('none presented'),
    });
  });

  it('needs both proofs when it is bound to a key too', async () => {
    await expect(call(await tokenFor({ jkt: key.jkt }), certificate)).rejects.toMatchObject({
      code: 'invalid_proof',
    });
  });

  it('may have members that say nothing of a key', async () => {
    const token = await tokenFor({ 'https://example.test/hint': 'x', 'x5t#S1': 'x' });
    await expect(call(token, certificate)).resolves.toBeDefined();
  });

  it.each([{ kid: 'x' }, {}, { jkt: 'short' }, { 'x5t#S256': 7 }, { jkt: 'a'.repeat(43), jwe: 'x' }, 'x'])(
    'is refused when the binding is of a kind not known here: %j',
    async (cnf) => {
      await expect(call(await issuer.token({ cnf }), certificate)).rejects.toMatchObject({
        message: 'token refused: unusable claims cnf',
      });
    },
  );
});

describe('createKeyProofs', () => {
  it.each([
    { algorithms: [] },
    { algorithms: ['HS256'] },
    { maxAgeSeconds: 0 },
    { maxAgeSeconds: 301 },
    { clockToleranceSeconds: -1 },
  ])('refuses %j', (options) => {
    expect(() => createKeyProofs(options)).toThrow(/algorithms|maxAgeSeconds|clockToleranceSeconds/);
  });
});
