import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  challengeFor,
  createAuthenticator,
  createKeyProofs,
  createPolicy,
  createTokenVerifier,
  isAuthError,
} from '../src/index.ts';
import type { AuthError, Authenticator, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, forgeToken, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

/** Sits in every hostile token; must be in no error, log line or answer. */
const CANARY = 'canary-5f1d';
const NOW = Date.UTC(2026, 0, 15);
const seconds = NOW / 1000;

let issuer: LocalIssuer;
let verifier: TokenVerifier;
let authenticator: Authenticator;
/** The key of a client that binds its tokens. */
let clientKey: { privateKey: CryptoKey; jwk: JWK; jkt: string };

beforeAll(async () => {
  issuer = await startIssuer(() => NOW);
  verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256', 'RS256'],
    jwksUrl: `${issuer.issuer}/jwks`,
    now: () => NOW,
  });
  authenticator = createAuthenticator({
    verifier,
    directory: { groupsOf: async () => [] },
    policy: createPolicy({ version: 1, permissions: ['deploy:read'], groups: [], grants: [] }),
    proofs: createKeyProofs({ algorithms: ['ES256'], now: () => NOW }),
  });
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  clientKey = { privateKey: pair.privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) };
});

afterAll(async () => {
  await authenticator.close();
  await verifier.close();
  await issuer.close();
});

type Code = AuthError['code'];
interface Hostile {
  readonly what: string;
  readonly header: () => Promise<string> | string;
  /** Part of the internal message: each is refused for its own reason, not by accident. */
  readonly reason?: string;
  readonly code?: Code;
  readonly status?: number;
  /** The DPoP header that goes with the token. */
  readonly dpop?: (token: string) => Promise<string>;
}
const bearer = async (token: string | Promise<string>): Promise<string> => `Bearer ${await token}`;
const goodHeader = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' };
const goodClaims = () => ({ iss: issuer.issuer, aud: AUDIENCE, sub: CANARY, exp: seconds + 300 });
const signed = (claims: object, header: Record<string, unknown> = {}) =>
  bearer(issuer.token({ jti: CANARY, name: CANARY, ...claims }, header));

const bound = async () => `DPoP ${await issuer.token({ cnf: { jkt: clientKey.jkt }, name: CANARY })}`;
const proof = (token: string, claims: object = {}) =>
  new SignJWT({
    jti: CANARY,
    htm: 'POST',
    htu: AUDIENCE,
    iat: seconds,
    ath: createHash('sha256').update(token).digest('base64url'),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: clientKey.jwk })
    .sign(clientKey.privateKey);

/** An ES256 signature of 64 bytes leaves four bits of its last character unused. */
function withLooseBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1);
}

const hostile: readonly Hostile[] = [
  {
    what: 'another audience',
    reason: 'issued for another audience',
    header: () => signed({ aud: `https://${CANARY}.test` }),
  },
  {
    what: 'no audience',
    reason: 'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
    header: () => signed({ aud: undefined }),
  },
  {
    what: 'a list of other audiences',
    reason: 'issued for another audience',
    header: () => signed({ aud: ['https://a.test', CANARY] }),
  },
  {
    what: 'our audience among others',
    reason: 'valid at other audiences too',
    header: () => signed({ aud: [AUDIENCE, CANARY] }),
  },
  {
    what: 'an audience that starts like ours',
    reason: 'issued for another audience',
    header: () => signed({ aud: `${AUDIENCE}-${CANARY}` }),
  },
  {
    what: 'an empty list of audiences',
    reason: 'issued for another audience',
    header: () => signed({ aud: [] }),
  },
  {
    what: 'an audience that is an object',
    reason: 'issued for another audience',
    header: () => signed({ aud: { [AUDIENCE]: CANARY } }),
  },
  ...[
    'https://x@mcp.example.test/mcp',
    'https://@mcp.example.test/mcp',
    `${AUDIENCE}#`,
    `${AUDIENCE}#x`,
    `${AUDIENCE}?`,
    `${AUDIENCE} `,
    ` ${AUDIENCE}`,
    `${AUDIENCE}\n`,
    'https://mcp.example.test/other/../mcp',
    'https://mcp.example.test/./mcp',
    'https://mcp.example.test/other/%2e%2e/mcp',
    'https://mcp.example.test\\mcp',
    'https:\\\\mcp.example.test/mcp',
    'https:mcp.example.test/mcp',
    'https:///mcp.example.test/mcp',
    'https://mcp.exa\tmple.test/mcp',
    'https://mcp.example.test:/mcp',
    'https://mcp.example.test:0443/mcp',
    'https://mcp.example.test./mcp',
    'https://mcp.ex%61mple.test/mcp',
    'https://mcp.example.test/MCP',
    'https://mcp.example.test/%6dcp',
    'https://mcp.example.test/mcp//',
    'https://mcp.example.test//mcp',
    'http://mcp.example.test/mcp',
    'https://ⓜcp.example.test/mcp',
    [[AUDIENCE]],
  ].map((aud) => ({
    what: `the audience ${JSON.stringify(aud)}`,
    reason: 'issued for another audience',
    header: () => signed({ aud }),
  })),
  { what: 'another issuer', reason: 'FAILED iss', header: () => signed({ iss: `https://${CANARY}.test` }) },
  { what: 'no issuer', reason: 'FAILED iss', header: () => signed({ iss: undefined }) },
  { what: 'expired', reason: 'ERR_JWT_EXPIRED exp', header: () => signed({ exp: seconds - 60 }) },
  { what: 'no expiry', reason: 'FAILED exp', header: () => signed({ exp: undefined }) },
  { what: 'an expiry that is text', reason: 'FAILED exp', header: () => signed({ exp: CANARY }) },
  { what: 'not valid yet', reason: 'FAILED nbf', header: () => signed({ nbf: seconds + 3600 }) },
  {
    what: 'issued in the future',
    reason: 'issued in the future',
    header: () => signed({ iat: seconds + 3600 }),
  },
  { what: 'no subject', reason: 'FAILED sub', header: () => signed({ sub: undefined }) },
  { what: 'an empty subject', reason: 'unusable claims sub', header: () => signed({ sub: '' }) },
  {
    what: 'a subject with a line break',
    reason: 'unusable claims sub',
    header: () => signed({ sub: `alice\n${CANARY}` }),
  },
  {
    what: 'a subject of 300 characters',
    reason: 'unusable claims sub',
    header: () => signed({ sub: CANARY.repeat(30) }),
  },
  {
    what: 'a list of scopes that are not all texts',
    reason: 'unusable claims scope',
    header: () => signed({ scope: [CANARY, 1] }),
  },
  {
    what: 'a scope with a quote',
    reason: 'unusable claims scope',
    header: () => signed({ scope: `deploy:read" ${CANARY}` }),
  },
  {
    what: 'bound to a key (DPoP)',
    reason: 'unusable claims cnf',
    header: () => signed({ cnf: { jkt: CANARY } }),
  },
  { what: 'an ID token', reason: 'FAILED typ', header: () => signed({}, { typ: 'JWT' }) },
  { what: 'a refresh token', reason: 'not an access token', header: () => signed({ typ: 'Refresh' }) },
  { what: 'an offline token', reason: 'not an access token', header: () => signed({ typ: 'Offline' }) },
  {
    what: 'an ID token by its use',
    reason: 'not an access token',
    header: () => signed({ token_use: 'id' }),
  },
  { what: 'an ID token by a hash', reason: 'not an access token', header: () => signed({ at_hash: CANARY }) },
  {
    what: 'an ID token by its nonce',
    reason: 'not an access token',
    header: () => signed({ nonce: CANARY }),
  },
  {
    what: 'a logout token by its event',
    reason: 'not an access token',
    header: () => signed({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
  },
  {
    what: 'a use that is no text',
    reason: 'not an access token',
    header: () => signed({ token_use: [CANARY] }),
  },
  {
    what: 'a kind nobody knows',
    reason: 'not an access token',
    header: () => signed({ typ: CANARY }),
  },
  ...['client_id', 'azp', 'jti'].flatMap((claim) =>
    ['\u202E', '\u200B', '\uD800', '\uFFFD', '\u3164'].map((character) => ({
      what: `a ${claim} with U+${character.charCodeAt(0).toString(16)}`,
      reason: `unusable claims ${claim}`,
      header: () => signed({ [claim]: `${CANARY}${character}x` }),
    })),
  ),
  {
    what: 'padding at its end',
    reason: 'ERR_JWS_INVALID',
    header: async () => `${await signed({})}==`,
  },
  {
    what: 'padding in its middle',
    header: async () => (await signed({})).replace(/\.(?=[^.]*$)/, '=.'),
    code: 'malformed_authorization',
    status: 400,
  },
  {
    what: 'bits after its last byte',
    reason: 'ERR_JWS_INVALID',
    header: async () => withLooseBits(await signed({})),
  },
  { what: 'an end beyond all dates', reason: 'unusable claims exp', header: () => signed({ exp: 1e308 }) },
  {
    what: 'a subject that turns text around',
    reason: 'unusable claims sub',
    header: () => signed({ sub: `${CANARY}\u202Ecod.exe` }),
  },
  {
    what: 'a subject with half a character',
    reason: 'unusable claims sub',
    header: () => signed({ sub: `${CANARY}\uD800` }),
  },
  { what: 'no type', reason: 'FAILED typ', header: () => signed({}, { typ: undefined }) },
  { what: 'an ID-JAG', reason: 'FAILED typ', header: () => signed({}, { typ: 'oauth-id-jag+jwt' }) },
  { what: 'an unknown key', reason: 'ERR_JWKS_NO_MATCHING_KEY', header: () => signed({}, { kid: CANARY }) },
  {
    what: 'an unknown critical header',
    reason: 'ERR_JOSE_NOT_SUPPORTED',
    header: () => bearer(forgeToken({ ...goodHeader, crit: [CANARY] }, goodClaims(), 'x')),
  },
  {
    what: 'alg none',
    reason: 'ERR_JOSE_ALG_NOT_ALLOWED',
    header: () => bearer(forgeToken({ ...goodHeader, alg: 'none' }, goodClaims())),
  },
  {
    what: 'alg None with a signature',
    reason: 'ERR_JOSE_ALG_NOT_ALLOWED',
    header: () => bearer(forgeToken({ ...goodHeader, alg: 'None' }, goodClaims(), 'x')),
  },
  {
    what: 'HS256 keyed with the public key',
    reason: 'ERR_JOSE_ALG_NOT_ALLOWED',
    header: () =>
      bearer(
        new SignJWT(goodClaims())
          .setProtectedHeader({ ...goodHeader, alg: 'HS256' })
          .sign(new TextEncoder().encode(JSON.stringify(issuer.publicJwk))),
      ),
  },
  {
    what: 'an algorithm that is not accepted',
    reason: 'ERR_JOSE_ALG_NOT_ALLOWED',
    header: () => bearer(forgeToken({ ...goodHeader, alg: 'ES512' }, goodClaims(), 'x')),
  },
  {
    what: "somebody else's key under a known id, offered in the header",
    reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    header: async () => {
      const { privateKey } = await generateKeyPair('ES256');
      const header = { ...goodHeader, jku: `https://${CANARY}.test/jwks` };
      return bearer(new SignJWT(goodClaims()).setProtectedHeader(header).sign(privateKey));
    },
  },
  {
    what: 'changed claims under an old signature',
    reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    header: async () => {
      const [header = '', , signature = ''] = (await issuer.token()).split('.');
      const [, payload = ''] = forgeToken({}, goodClaims()).split('.');
      return bearer(`${header}.${payload}.${signature}`);
    },
  },
  {
    what: 'no signature',
    reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    header: async () => bearer((await issuer.token({ sub: CANARY })).replace(/[^.]+$/, '')),
  },
  { what: 'an opaque token', reason: 'ERR_JWS_INVALID', header: () => bearer(CANARY) },
  { what: 'claims that are not JSON', reason: 'ERR_JW', header: () => bearer(`e30.${CANARY}.e30`) },
  {
    what: 'more than 32 KiB',
    reason: 'longer than 32 KiB',
    header: () => signed({ padding: 'x'.repeat(32 * 1024) }),
  },
  {
    what: 'two tokens, comma',
    header: () => `Bearer ${CANARY}, Bearer b`,
    code: 'malformed_authorization',
    status: 400,
  },
  {
    what: 'two tokens, space',
    header: () => `Bearer ${CANARY} b`,
    code: 'malformed_authorization',
    status: 400,
  },
  {
    what: 'a token after another scheme',
    header: () => `Basic eDp5, Bearer ${CANARY}`,
    code: 'malformed_authorization',
    status: 400,
  },
  { what: 'the scheme alone', header: () => 'Bearer', code: 'malformed_authorization', status: 400 },
  {
    what: 'a token with forbidden characters',
    header: () => `Bearer ${CANARY}"\u0000`,
    code: 'malformed_authorization',
    status: 400,
  },
  {
    what: 'the public key as a shared secret, in the header too',
    reason: 'ERR_JOSE_ALG_NOT_ALLOWED',
    header: () =>
      bearer(forgeToken({ ...goodHeader, alg: 'HS512', jwk: issuer.publicJwk }, goodClaims(), 'x')),
  },
  {
    what: 'a key of its own in the header',
    reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    header: async () => {
      const header = { ...goodHeader, jwk: clientKey.jwk };
      return bearer(new SignJWT(goodClaims()).setProtectedHeader(header).sign(clientKey.privateKey));
    },
  },
  {
    what: 'a signature of zeros (CVE-2022-21449)',
    reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    header: () => bearer(forgeToken(goodHeader, goodClaims(), new Uint8Array(64))),
  },
  {
    what: 'a key id that is a path',
    reason: 'ERR_JWKS_NO_MATCHING_KEY',
    header: () => signed({}, { kid: `../../${CANARY}` }),
  },
  {
    what: 'an unencoded payload (RFC 7797)',
    reason: 'ERR_J',
    header: () => bearer(forgeToken({ ...goodHeader, b64: false, crit: ['b64'] }, goodClaims(), 'x')),
  },
  { what: 'an encrypted token', reason: 'ERR_J', header: () => bearer(`e30.${CANARY}.e30.e30.e30`) },
  { what: 'a logout token', reason: 'FAILED typ', header: () => signed({}, { typ: 'logout+jwt' }) },
  {
    what: 'a proof in place of a token',
    reason: 'FAILED typ',
    header: () => signed({}, { typ: 'dpop+jwt' }),
  },
  { what: 'an expiry before time began', reason: 'ERR_JWT_EXPIRED', header: () => signed({ exp: -1 }) },
  { what: 'a subject that is a number', reason: 'unusable claims sub', header: () => signed({ sub: 7 }) },
  {
    what: 'scopes that are objects',
    reason: 'unusable claims scp',
    header: () => signed({ scp: [{ name: CANARY }] }),
  },
  {
    what: 'a client id with a line break',
    reason: 'unusable claims client_id',
    header: () => signed({ client_id: `${CANARY}\r\nx` }),
  },
  {
    what: 'bound to a certificate that did not come',
    reason: 'none presented',
    header: () => signed({ cnf: { 'x5t#S256': 'a'.repeat(43) } }),
  },
  {
    what: 'bound to a key, as a bearer token',
    reason: 'came as a bearer token',
    code: 'invalid_proof',
    header: async () => (await bound()).replace('DPoP', 'Bearer'),
  },
  { what: 'bound to a key, without proof', reason: 'missing', code: 'invalid_proof', header: bound },
  {
    what: 'bound to a key, with the proof of a request before',
    reason: 'used before',
    code: 'invalid_proof',
    header: bound,
    async dpop(token) {
      const used = await proof(token);
      const request = { method: 'POST', url: AUDIENCE, dpop: used };
      await authenticator.authenticate(`DPoP ${token}`, { signal: AbortSignal.timeout(5_000), request });
      return used;
    },
  },
  {
    what: 'bound to a key, with a proof for another server',
    reason: 'another URL',
    code: 'invalid_proof',
    header: bound,
    dpop: (token) => proof(token, { htu: `https://${CANARY}.test/mcp` }),
  },
  {
    what: 'bound to a key, with two proofs',
    reason: 'ERR_J',
    code: 'invalid_proof',
    header: bound,
    dpop: async (token) => `${await proof(token)}, ${await proof(token)}`,
  },
  {
    what: 'not bound, sent as if it were',
    reason: 'not bound to a key',
    header: async () => `DPoP ${await issuer.token({ name: CANARY })}`,
    dpop: (token) => proof(token),
  },
  {
    what: 'two schemes',
    header: () => `Bearer ${CANARY}, DPoP ${CANARY}`,
    code: 'malformed_authorization',
    status: 400,
  },
  { what: 'another scheme', header: () => `Basic ${CANARY}`, code: 'missing_token' },
  { what: 'nothing', header: () => '', code: 'missing_token' },
];

describe('hostile credentials', () => {
  it.each(hostile)('refuses $what', async ({ header, dpop, reason = '', ...expected }) => {
    const { code = 'invalid_token', status = 401 } = expected;
    const authorization = await header();
    const request = {
      method: 'POST',
      url: AUDIENCE,
      dpop: await dpop?.(authorization.slice('DPoP '.length)),
    };
    const error = await authenticator
      .authenticate(authorization, { signal: AbortSignal.timeout(5_000), request })
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    if (!isAuthError(error)) {
      throw new Error(`not refused by an AuthError: ${inspect(error)}`);
    }
    expect(error.code).toBe(code);
    expect(error.message).toContain(reason);
    const challenge = challengeFor(error, {
      resourceMetadataUrl: 'https://mcp.example.test/meta',
      scopes: [],
      dpopAlgorithms: ['ES256'],
    });
    expect(challenge.status).toBe(status);
    // Everything that can reach a log or the client, hidden properties and causes included.
    const everything = inspect({ error, challenge }, { depth: Infinity, showHidden: true });
    expect(everything).not.toContain(CANARY);
  });

  it('are at least forty', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(40);
  });

  it('accepts the token that all of these were made from', async () => {
    const caller = await authenticator.authenticate(await bearer(issuer.token()), {
      signal: AbortSignal.timeout(5_000),
    });
    expect(caller).toMatchObject({ id: `${issuer.issuer}#alice`, kind: 'user', clientId: 'editor' });
  });

  it('asks for keys once, however many unknown key ids arrive', () => {
    expect(issuer.requests.get('/jwks')).toBe(1);
  });
});
