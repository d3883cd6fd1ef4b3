import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { createClientCredentials, type ClientAuthentication } from '../src/index.ts';
import { createTestClock, refuse, reply, createScriptedUpstream } from '../src/testing/index.ts';
import { RESOURCE, startIdentityProvider } from './identity-provider.ts';
import { selfSigned } from './self-signed.ts';
import { signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const signingKey = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'provider',
  use: 'sig',
  alg: 'ES256',
} as const;

const clientId = 'deployer';
const clientSecret = 'p w/+%:~';

const claimsOf = (jwt: string): unknown =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

function certificateKeyOf({ cert, der }: { cert: string; der: Buffer }) {
  const key = new X509Certificate(cert).publicKey.export({ format: 'jwk' });
  return { ...key, kty: 'EC', x5c: [der.toString('base64')] };
}

describe('client authentication against a real authorization server', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)('signs in with %s', async (method) => {
    const client = { client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: method };
    await using provider = await startIdentityProvider({ signingKey, clients: [client] });
    const tokens = createClientCredentials({
      issuer: provider.issuer,
      clientId,
      authentication: { method, clientSecret: () => clientSecret },
      scope: 'things:read',
      resource: RESOURCE,
    });

    const { value } = await tokens.get({ signal });

    expect(claimsOf(value)).toMatchObject({ client_id: clientId, aud: RESOURCE, scope: 'things:read' });
  });

  it('signs in with private_key_jwt, reading the key anew for every token', async () => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const publicKey = await webcrypto.subtle.exportKey('jwk', keys.publicKey);
    await using provider = await startIdentityProvider({
      signingKey,
      clients: [
        {
          client_id: clientId,
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ ...publicKey, kty: 'EC', kid: 'k1', use: 'sig' }] },
        },
      ],
    });
    let reads = 0;
    const tokens = createClientCredentials({
      issuer: provider.issuer,
      clientId,
      authentication: {
        method: 'private_key_jwt',
        privateKey: () => {
          reads += 1;
          return { key: keys.privateKey, keyId: 'k1' };
        },
      },
    });

    const first = await tokens.get({ signal });
    tokens.invalidate(first.value);
    await tokens.get({ signal });

    expect(claimsOf(first.value)).toMatchObject({ client_id: clientId, aud: RESOURCE });
    expect(reads).toBe(2);
  });

  it('signs in with a client certificate', async () => {
    const own = selfSigned('deployer');
    await using provider = await startIdentityProvider({
      signingKey,
      tls: true,
      clients: [
        {
          client_id: clientId,
          token_endpoint_auth_method: 'self_signed_tls_client_auth',
          jwks: { keys: [certificateKeyOf(own)] },
        },
      ],
    });
    const certificate = { key: own.key, cert: own.cert, ca: provider.ca };
    const signIn = (tls: typeof certificate) =>
      createClientCredentials({
        tokenUrl: `${provider.issuer}/token`,
        clientId,
        authentication: { method: 'tls_client_auth', certificate: () => tls },
      }).get({ signal });

    expect(claimsOf((await signIn(certificate)).value)).toMatchObject({ client_id: clientId });
    const stranger = selfSigned('stranger');
    await expect(signIn({ ...certificate, key: stranger.key, cert: stranger.cert })).rejects.toMatchObject({
      code: 'unauthenticated',
      isRetryable: false,
    });
  });

  it('is told that the credentials are wrong, and does not say them', async () => {
    const client = { client_id: clientId, client_secret: clientSecret };
    await using provider = await startIdentityProvider({ signingKey, clients: [client] });
    const tokens = createClientCredentials({
      tokenUrl: `${provider.issuer}/token`,
      clientId,
      clientSecret: () => 'wrong secret',
    });

    const error: unknown = await tokens.get({ signal }).catch((error: unknown) => error);

    expect(error).toMatchObject({ code: 'unauthenticated', status: 401, isRetryable: false });
    expect(String((error as Error).cause)).toContain('invalid_client');
    expect(JSON.stringify([error, String((error as Error).cause)])).not.toContain('wrong secret');
  });

  it('has no token while its own secret cannot be read', async () => {
    await using provider = await startUpstream((_, response) => json(response, 200, {}));
    const tokens = createClientCredentials({
      tokenUrl: provider.url,
      clientId,
      clientSecret: () => Promise.reject(new Error('no such file')),
    });

    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'unauthenticated', sent: 'no' });
    expect(provider.received).toHaveLength(0);
  });
});

describe('discovery of the token endpoint', () => {
  const issued = { access_token: 't', token_type: 'Bearer', expires_in: 300 };
  const authentication: ClientAuthentication = { method: 'client_secret_basic', clientSecret: () => 's' };

  it('reads the metadata once for any number of tokens, also where only OpenID Connect knows it', async () => {
    await using provider = await startUpstream((request, response) => {
      if (request.url === '/.well-known/openid-configuration') {
        json(response, 200, { issuer: provider.url, token_endpoint: `${provider.url}/deep/token` });
      } else if (request.url === '/deep/token') {
        json(response, 200, issued);
      } else {
        json(response, 404, {});
      }
    });
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication });

    const cold = await Promise.all(Array.from({ length: 20 }, () => tokens.get({ signal })));
    tokens.invalidate('t');
    await tokens.get({ signal });

    expect(new Set(cold.map(({ value }) => value))).toEqual(new Set(['t']));
    expect(provider.received.map(({ url }) => url)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/deep/token',
      '/deep/token',
    ]);
  });

  it.each([
    ['of another issuer', 200, { issuer: 'https://evil.example', token_endpoint: 'https://evil.example/t' }],
    ['without a token endpoint', 200, {}],
  ])('does not believe metadata %s', async (_, status, metadata) => {
    await using provider = await startUpstream((_, response) =>
      json(response, status, { issuer: provider.url, ...metadata }),
    );
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication });

    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'invalid_response' });
    expect(provider.received.map(({ url }) => url)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ]);
  });

  const page = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
  };
  it.each<[string, (response: ServerResponse) => void]>([
    ['nothing', (response) => json(response, 404, {})],
    ["a web application's page", page],
    ['a redirect to one', (response) => void response.writeHead(302, { location: '/login' }).end()],
    ['an error', (response) => json(response, 500, { error: 'server_error' })],
    ['that it is too busy', (response) => json(response, 429, {})],
    ['that it is not allowed', (response) => json(response, 403, {})],
    ['metadata of somebody else', (response) => json(response, 200, { issuer: 'https://evil.example' })],
    ['broken JSON', (response) => void response.setHeader('content-type', 'application/json').end('{')],
    ['no JSON object', (response) => json(response, 200, [])],
    ['far too much', (response) => json(response, 200, { filler: 'x'.repeat(70_000) })],
  ])('asks the next place where the first one answers %s', async (_, answer) => {
    await using provider = await startUpstream((request, response) => {
      const issuer = `${provider.url}/tenant`;
      if (request.url === '/tenant/.well-known/openid-configuration') {
        json(response, 200, { issuer, token_endpoint: `${provider.url}/token` });
      } else if (request.url === '/token') {
        json(response, 200, issued);
      } else {
        answer(response);
      }
    });
    const issuer = `${provider.url}/tenant`;
    const tokens = createClientCredentials({ issuer, clientId, authentication });

    expect((await tokens.get({ signal })).value).toBe('t');
    expect(provider.received.map(({ url }) => url)).toEqual([
      '/.well-known/oauth-authorization-server/tenant',
      '/.well-known/openid-configuration/tenant',
      '/tenant/.well-known/openid-configuration',
      '/token',
    ]);
  });

  it('takes metadata with a byte order mark', async () => {
    await using provider = await startUpstream((request, response) => {
      const metadata = { issuer: provider.url, token_endpoint: `${provider.url}/token` };
      const text = `\u{FEFF}${JSON.stringify(request.url === '/token' ? issued : metadata)}`;
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication });
    expect((await tokens.get({ signal })).value).toBe('t');
  });

  it('does not go on where nobody answers: all places are on one host', async () => {
    const provider = createScriptedUpstream(refuse());
    const issuer = 'https://login.example';
    const { dispatcher } = provider;
    const tokens = createClientCredentials({ issuer, clientId, authentication, dispatcher });
    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'network' });
    expect(provider.requests).toHaveLength(1);
  });

  it('says what may be over in a moment rather than what will not', async () => {
    await using provider = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 404 : 503, {}),
    );
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication });
    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'server_error', isRetryable: true });
  });

  it('is read again after an hour', async () => {
    await using provider = await startUpstream((request, response) =>
      json(
        response,
        200,
        request.url === '/token' ? issued : { issuer: provider.url, token_endpoint: `${provider.url}/token` },
      ),
    );
    const clock = createTestClock();
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication, clock });

    for (const waitMs of [0, 3_590_000, 10_000]) {
      clock.advance(waitMs);
      tokens.invalidate('t');
      await tokens.get({ signal });
    }

    const metadata = provider.received.filter(({ url }) => url.startsWith('/.well-known/'));
    expect(metadata).toHaveLength(2);
  });

  it('takes a client with a certificate to the endpoint that asks for one (RFC 8705 §5)', async () => {
    const issuer = 'https://login.example';
    const provider = createScriptedUpstream(({ path }) =>
      path.startsWith('/.well-known/')
        ? reply(200, {
            issuer,
            token_endpoint: `${issuer}/token`,
            mtls_endpoint_aliases: { token_endpoint: 'https://mtls.login.example/token' },
          })
        : reply(200, issued),
    );
    const ask = (authentication: ClientAuthentication) =>
      createClientCredentials({ issuer, clientId, authentication, dispatcher: provider.dispatcher }).get({
        signal,
      });

    await ask(authentication);
    await ask({ method: 'tls_client_auth', certificate: () => ({ cert: '', key: '' }) });

    const asked = provider.requests.filter(({ method }) => method === 'POST');
    expect(asked.map(({ origin }) => origin)).toEqual([issuer, 'https://mtls.login.example']);
    expect(new URLSearchParams(asked[1]?.body).get('client_id')).toBe(clientId);
  });

  it('does not send a secret over plain HTTP because metadata says so', async () => {
    const issuer = 'https://login.example';
    const provider = createScriptedUpstream(
      reply(200, { issuer, token_endpoint: 'http://login.example/token' }),
    );
    const tokens = createClientCredentials({
      issuer,
      clientId,
      authentication,
      dispatcher: provider.dispatcher,
    });

    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'unauthenticated', sent: 'no' });
    expect(provider.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('asks again after it failed', async () => {
    await using provider = await startUpstream((request, response, count) => {
      if (count <= 2) {
        json(response, 503, {});
      } else if (request.url === '/token') {
        json(response, 200, issued);
      } else {
        json(response, 200, { issuer: provider.url, token_endpoint: `${provider.url}/token` });
      }
    });
    const clock = createTestClock();
    const tokens = createClientCredentials({ issuer: provider.url, clientId, authentication, clock });

    await expect(tokens.get({ signal })).rejects.toMatchObject({ code: 'server_error', isRetryable: true });
    clock.advance(2_000);
    expect((await tokens.get({ signal })).value).toBe('t');
  });

  it.each([
    [{}, 'give either issuer or tokenUrl'],
    [{ issuer: 'https://a.example', tokenUrl: 'https://a.example/t' }, 'give either issuer or tokenUrl'],
    [{ issuer: 'a.example' }, 'issuer must be an absolute http(s) URL'],
  ])('refuses %j', (where, message) => {
    expect(() => createClientCredentials({ ...where, clientId, authentication })).toThrow(message);
  });
});
