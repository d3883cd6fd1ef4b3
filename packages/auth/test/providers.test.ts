import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createIntrospectionVerifier, createTokenVerifier } from '../src/index.ts';
import type { Provider, TokenVerifier, TokenVerifierOptions } from '../src/index.ts';
import { AUDIENCE } from './local-issuer.ts';
import { PROFILES } from './provider-tokens/all.ts';
import type { ProviderProfile, ProviderToken } from './provider-tokens/profile.ts';

const { signal } = new AbortController();

/** Has the keys of every issuer, and says of a token what the token says. */
let base: string;
let key: { privateKey: CryptoKey; jwk: JWK };
const server = createServer((request, response) => {
  if (request.url === '/jwks') {
    response.end(JSON.stringify({ keys: [key.jwk] }));
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const token = new URLSearchParams(body).get('token') ?? '';
    response.end(Buffer.from(token, 'base64url'));
  });
});

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  key = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' } };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function claimsOf({ path }: Pick<ProviderProfile, 'path'>, token: ProviderToken): Record<string, unknown> {
  const issuer = base + path;
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, iat: seconds, exp: seconds + 300, ...token.claims };
  return JSON.parse(JSON.stringify(claims).replaceAll('ISSUER', issuer));
}

function sign(claims: Record<string, unknown>, typ: string | undefined): Promise<string> {
  const header = { alg: 'ES256', kid: 'k', ...(typ !== undefined && { typ }) };
  return new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
}

const ask = (claims: Record<string, unknown>): string =>
  Buffer.from(JSON.stringify({ active: true, ...claims })).toString('base64url');

function verifierOf(
  { path, provider, options }: Pick<ProviderProfile, 'path' | 'provider' | 'options'>,
  more: Partial<TokenVerifierOptions> = {},
): TokenVerifier {
  const issuer = base + path;
  const common = { issuer, audience: AUDIENCE, provider, ...options, ...more };
  return createTokenVerifier({ ...common, algorithms: ['ES256'], jwksUrl: `${base}/jwks` });
}

function asksOf({
  path,
  provider,
  options,
}: Pick<ProviderProfile, 'path' | 'provider' | 'options'>): TokenVerifier {
  const client = { id: 'mcp', secret: 'secret' };
  const introspectionUrl = `${base}/introspect`;
  return createIntrospectionVerifier({
    issuer: base + path,
    audience: AUDIENCE,
    provider,
    ...options,
    client,
    introspectionUrl,
  });
}

describe.each(Object.entries(PROFILES))('%s', (_, profile) => {
  const { user, service, refused } = profile;
  const all = [{ who: 'a person', token: user }, ...(service ? [{ who: 'a service', token: service }] : [])];

  it.each(all)('lets $who in, as a JWT', async ({ token }) => {
    await using verifier = verifierOf(profile);
    const jwt = await sign(claimsOf(profile, token), token.typ);
    expect(await verifier.verify(jwt, { signal })).toMatchObject(token.is);
  });

  it.each(all)('lets $who in, by introspection', async ({ token }) => {
    await using verifier = asksOf(profile);
    const claims = { token_type: 'Bearer', ...claimsOf(profile, token) };
    expect(await verifier.verify(ask(claims), { signal })).toMatchObject(token.is);
  });

  it.each(all)('takes null for absent in the token of $who', async ({ token }) => {
    await using verifier = verifierOf(profile);
    const claims = { nonce: null, at_hash: null, cnf: null, ...claimsOf(profile, token) };
    await expect(verifier.verify(await sign(claims, token.typ), { signal })).resolves.toMatchObject(token.is);
  });

  it.each([
    ...Object.entries(refused),
    ['token for another server', { ...user, claims: { ...user.claims, aud: 'https://other.test' } }] as const,
  ])('refuses the %s', async (_name, token) => {
    await using verifier = verifierOf(profile);
    const jwt = await sign(claimsOf(profile, token), token.typ);
    await expect(verifier.verify(jwt, { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  // What is left is a token whose kind is in the header alone, which an endpoint does not repeat.
  it.each(Object.entries(refused))('refuses the %s by introspection', async (_name, token) => {
    await using verifier = asksOf(profile);
    await expect(verifier.verify(ask(claimsOf(profile, token)), { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  it.each([
    { nonce: 'n' },
    { at_hash: 'h' },
    { c_hash: 'h' },
    { s_hash: 'h' },
    { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    { token_use: 'refresh_token' },
    { token_use: 'id' },
    { token_type: 'N_A' },
    { token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    { token_usage: 'refresh_token' },
    { tokenName: 'id_token' },
    { typ: 'Refresh' },
    { typ: 'Offline' },
    { typ: 'ID' },
    { typ: 'Logout' },
  ])('never takes what says %j for an access token', async (sign_) => {
    await using jwt = verifierOf(profile);
    await using opaque = asksOf(profile);
    const claims = { ...claimsOf(profile, user), ...sign_ };
    const reason = { code: 'invalid_token', message: 'token refused: not an access token' };
    await expect(jwt.verify(await sign(claims, user.typ), { signal })).rejects.toMatchObject(reason);
    await expect(opaque.verify(ask(claims), { signal })).rejects.toMatchObject(reason);
  });
});

describe('an issuer without preset that sends the type JWT or none', () => {
  const id = { aud: AUDIENCE, sub: 'jo', name: 'Jo', auth_time: 1, amr: ['pwd'] };

  it.each([undefined, 'JWT', 'application/jwt'])('has its ID tokens refused, type %s', async (typ) => {
    await using verifier = verifierOf({ provider: 'generic', path: '' }, { tokenType: 'JWT' });
    await expect(
      verifier.verify(await sign(claimsOf({ path: '' }, { claims: id }), typ), { signal }),
    ).rejects.toMatchObject({ message: 'token refused: not shown to be an access token' });
  });

  it('has its access tokens taken by what no ID token has', async () => {
    await using verifier = verifierOf({ provider: 'generic', path: '' }, { tokenType: 'either' });
    for (const [typ, mark] of [
      ['JWT', { scope: 'deploy:read' }],
      [undefined, { client_id: 'editor' }],
      ['at+jwt', {}],
    ] as const) {
      const claims = claimsOf({ path: '' }, { claims: { ...id, ...mark } });
      await expect(verifier.verify(await sign(claims, typ), { signal })).resolves.toMatchObject({
        kind: 'user',
      });
    }
  });
});

describe('an application of Entra ID without idtyp, where no provider is named', () => {
  it('is a service', async () => {
    await using verifier = verifierOf({ provider: 'generic', path: '' }, { tokenType: 'JWT' });
    const claims = { aud: AUDIENCE, azp: 'robot', oid: 'same', sub: 'same', roles: ['deploy:read'] };
    const token = await sign(claimsOf({ path: '' }, { claims }), 'JWT');
    await expect(verifier.verify(token, { signal })).resolves.toMatchObject({ kind: 'service', scopes: [] });
  });
});

describe('a rule that is set alone', () => {
  const { Keycloak } = PROFILES;
  async function principalWith(more: Partial<TokenVerifierOptions>, claims: object = {}) {
    if (Keycloak === undefined) {
      throw new Error('the profile of Keycloak is gone');
    }
    await using verifier = verifierOf(Keycloak, more);
    const token = { ...Keycloak.user, claims: { ...Keycloak.user.claims, ...claims } };
    return await verifier.verify(await sign(claimsOf(Keycloak, token), token.typ), { signal });
  }

  it('counts instead of the provider’s', async () => {
    await expect(principalWith({ toleratedAudiences: [] })).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(principalWith({ tokenType: 'at+jwt' })).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(principalWith({ clients: ['other'] })).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(principalWith({ clients: ['editor'] })).resolves.toBeDefined();
    await expect(principalWith({ subjectClaim: 'staff' })).rejects.toMatchObject({
      message: 'token refused: unusable claims sub',
    });
    await expect(principalWith({ subjectClaim: 'staff' }, { staff: '7' })).resolves.toMatchObject({
      subject: '7',
    });
    await expect(principalWith({ isService: () => true })).resolves.toMatchObject({ kind: 'service' });
    await expect(principalWith({ isAccessToken: () => false })).rejects.toMatchObject({
      code: 'invalid_token',
    });
    await expect(principalWith({ scopePrefix: 'deploy:' })).resolves.toMatchObject({
      scopes: ['openid', 'read'],
    });
  });

  it.each([
    { provider: 'acme' },
    { tokenType: 'jwt' },
    { missingSubject: 'user' },
    { missingAudience: 'any' },
    { clients: [''] },
    { scopeClaims: 'scope' },
    { subjectClaim: '' },
    { missingAudience: 'client-and-scope' },
  ])('is refused at the start when it is %j', async (wrong) => {
    // As a caller without types would do it.
    const more = wrong as unknown as Partial<TokenVerifierOptions>;
    await expect(principalWith(more)).rejects.toThrow(Object.keys(wrong)[0]);
  });
});

describe('what a provider cannot mean', () => {
  const guid = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
  const entra = 'https://login.microsoftonline.com/8f0c5a44-1f6e-4c0a-9d49-5b1b6a6c9a10/v2.0';
  it.each<[string, Provider, string, string]>([
    ['an audience that is no GUID', 'entra', entra, AUDIENCE],
    ['a slash after v2.0', 'entra', `${entra}/`, guid],
    ['a template', 'entra', 'https://login.microsoftonline.com/{tenantid}/v2.0', guid],
    ['any tenant', 'entra', 'https://login.microsoftonline.com/common/v2.0', guid],
    ['any organisation, in another cloud', 'entra', 'https://login.example.test/organizations/v2.0', guid],
    [
      'version 1 without its slash',
      'entra',
      'https://sts.windows.net/8f0c5a44-1f6e-4c0a-9d49-5b1b6a6c9a10',
      guid,
    ],
    ['an Auth0 issuer without its slash', 'auth0', 'https://acme.eu.auth0.com', AUDIENCE],
    ["Okta's own authorization server", 'okta', 'https://acme.okta.com', AUDIENCE],
    [
      "AD FS's name without the place of its keys",
      'ad-fs',
      'http://fs.example.test/adfs/services/trust',
      AUDIENCE,
    ],
  ])('%s stops the start', (_, provider, issuer, audience) => {
    expect(() => createTokenVerifier({ provider, issuer, audience, algorithms: ['RS256'] })).toThrow(
      TypeError,
    );
  });

  it('is not what they mean', () => {
    const good: [Provider, string, string][] = [
      ['entra', entra, guid],
      ['auth0', 'https://acme.eu.auth0.com/', AUDIENCE],
      ['okta', 'https://acme.okta.com/oauth2/default', AUDIENCE],
      ['okta', 'https://login.example.test', AUDIENCE],
    ];
    for (const [provider, issuer, audience] of good) {
      expect(createTokenVerifier({ provider, issuer, audience, algorithms: ['RS256'] }).issuers).toEqual([
        issuer,
      ]);
    }
    const issuer = 'http://fs.example.test/adfs/services/trust';
    const jwksUrl = 'https://fs.example.test/adfs/discovery/keys';
    const verifier = createTokenVerifier({
      provider: 'ad-fs',
      issuer,
      audience: 'microsoft:identityserver:mcp',
      algorithms: ['RS256'],
      jwksUrl,
    });
    expect(verifier.issuers).toEqual([issuer]);
  });
});
