import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair } from 'jose';
import { Provider, type Configuration, type JWK } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createIntrospectionVerifier, createTokenRouter, createTokenVerifier } from '../src/index.ts';
import type { TokenVerifier } from '../src/index.ts';
import { AUDIENCE } from './local-issuer.ts';

const { signal } = new AbortController();
const OPAQUE = `${AUDIENCE}-opaque`;

let server: Server;
let issuer: string;
let provider: Provider;
let router: TokenVerifier;

async function signingKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'RS256' };
}

/** Everything is set whose default would be announced on the console. */
function configuration(keys: JWK[]): Configuration {
  const service = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] as [] };
  return {
    jwks: { keys },
    cookies: { keys: ['cookie-key'] },
    clients: [
      { ...service, client_id: 'ci-bot', client_secret: 'ci-secret' },
      { ...service, grant_types: [], client_id: 'mcp-server', client_secret: 'server:secret' },
      { ...service, grant_types: [], client_id: 'editor', token_endpoint_auth_method: 'none' },
    ],
    scopes: ['deploy:read'],
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId === 'mcp-server' },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'deploy:read',
          audience: resource.startsWith(AUDIENCE) ? AUDIENCE : resource,
          accessTokenFormat: resource === OPAQUE ? 'opaque' : 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

beforeAll(async () => {
  server = createServer((request, response) => void provider.callback()(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = new Provider(issuer, configuration([await signingKey('key-1')]));
  router = createTokenRouter({
    jwt: [createTokenVerifier({ issuer, audience: AUDIENCE, algorithms: ['RS256'] })],
    opaque: createIntrospectionVerifier({
      issuer,
      audience: AUDIENCE,
      introspectionUrl: `${issuer}/token/introspection`,
      client: { id: 'mcp-server', secret: 'server:secret' },
      missingSubject: 'service',
    }),
  });
});
afterAll(async () => {
  await router.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function serviceToken(resource: string): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('ci-bot:ci-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'deploy:read', resource }),
  });
  // The token endpoint's answer, RFC 6749 §5.1.
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

/** As the end of a sign-in, which is the browser's part, leaves it. */
async function userToken(resource: string): Promise<string> {
  const client = await provider.Client.find('editor');
  if (client === undefined) {
    throw new Error('the client is configured above');
  }
  const grant = new provider.Grant({ accountId: 'alice', clientId: 'editor' });
  grant.addResourceScope(resource, 'deploy:read');
  const info = configuration([]).features?.resourceIndicators?.getResourceServerInfo;
  const token = new provider.AccessToken({
    accountId: 'alice',
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: 'deploy:read',
    resourceServer: new provider.ResourceServer(
      resource,
      (await info?.({} as never, resource, client)) as never,
    ),
  });
  return token.save();
}

describe('tokens of a real OpenID provider', () => {
  it('of a service are verified, as JWT and opaque', async () => {
    for (const resource of [AUDIENCE, OPAQUE]) {
      const principal = await router.verify(await serviceToken(resource), { signal });
      expect(principal).toMatchObject({
        id: `${issuer}#ci-bot`,
        kind: 'service',
        clientId: 'ci-bot',
        scopes: ['deploy:read'],
      });
    }
  });

  it('of a user are verified, as JWT and opaque', async () => {
    for (const resource of [AUDIENCE, OPAQUE]) {
      const principal = await router.verify(await userToken(resource), { signal });
      expect(principal).toMatchObject({ id: `${issuer}#alice`, kind: 'user', clientId: 'editor' });
    }
  });

  it('for another resource are refused', async () => {
    const token = await serviceToken('https://other.example.test/mcp');
    await expect(router.verify(token, { signal })).rejects.toMatchObject({
      code: 'invalid_token',
      message: 'token refused: issued for another audience',
    });
  });

  it('that are opaque and revoked are refused', async () => {
    const token = await userToken(OPAQUE);
    const stored = await provider.AccessToken.find(token);
    await stored?.destroy();
    await expect(router.verify(token, { signal })).rejects.toMatchObject({
      message: 'token refused: not active',
    });
  });

  it('go on working when the provider changes its key, and a new server takes those of the new key', async () => {
    await using verifier = createTokenVerifier({ issuer, audience: AUDIENCE, algorithms: ['RS256'] });
    const before = await serviceToken(AUDIENCE);
    await verifier.verify(before, { signal });
    provider = new Provider(issuer, configuration([await signingKey('key-2')]));
    await expect(verifier.verify(before, { signal })).resolves.toMatchObject({ subject: 'ci-bot' });
    await using another = createTokenVerifier({ issuer, audience: AUDIENCE, algorithms: ['RS256'] });
    await expect(another.verify(await serviceToken(AUDIENCE), { signal })).resolves.toMatchObject({
      subject: 'ci-bot',
    });
  });
});
