import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createTokenVerifier } from '../src/index.ts';
import type { TokenVerifierOptions } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const { signal } = new AbortController();
const UUID = '0b0e2d1c-5d0a-4a39-8d3c-9b6d3f0f3a51';
let issuer: LocalIssuer;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

async function principalOf(
  claims: Readonly<Record<string, unknown>>,
  { typ, ...options }: Partial<TokenVerifierOptions> & { readonly typ?: string | undefined } = {},
) {
  await using verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    ...options,
  });
  const none = { client_id: undefined, scope: undefined };
  return await verifier.verify(await issuer.token({ ...none, ...claims }, { typ }), { signal });
}

/** What each issuer documents of the access tokens it signs: for a person, and for a client that signs in for itself. */
const shapes = {
  Keycloak: {
    options: {
      typ: 'JWT',
      tokenType: 'JWT',
      allowExtraAudiences: true,
      groups: { claim: 'realm_access.roles' },
    },
    user: {
      sub: UUID,
      sid: UUID,
      typ: 'Bearer',
      azp: 'editor',
      aud: [AUDIENCE, 'account'],
      scope: 'openid deploy:read',
      preferred_username: 'alice',
      realm_access: { roles: ['platform'] },
    },
    service: {
      sub: UUID,
      typ: 'Bearer',
      azp: 'Robot',
      aud: [AUDIENCE, 'account'],
      scope: 'deploy:read',
      preferred_username: 'service-account-robot',
      realm_access: { roles: ['platform'] },
    },
  },
  'Entra ID, version 2': {
    options: { typ: 'JWT', tokenType: 'JWT', groups: { claim: 'groups' } },
    user: { sub: 'pairwise', oid: UUID, azp: 'editor', scp: 'deploy:read', groups: ['platform'] },
    service: { sub: UUID, oid: UUID, azp: 'robot', scp: 'deploy:read', groups: ['platform'] },
  },
  'Entra ID, version 1, with idtyp': {
    options: { typ: 'JWT', tokenType: 'JWT', groups: { claim: 'groups' } },
    user: { sub: UUID, oid: UUID, idtyp: 'user', appid: 'editor', scp: 'deploy:read', groups: ['platform'] },
    service: {
      sub: 'other',
      oid: UUID,
      idtyp: 'app',
      appid: 'robot',
      scp: 'deploy:read',
      groups: 'platform',
    },
  },
  Auth0: {
    options: { typ: 'at+jwt', groups: { claim: 'https://example.test/groups' } },
    user: {
      sub: 'auth0|42',
      azp: 'editor',
      scope: 'deploy:read',
      'https://example.test/groups': ['platform'],
    },
    service: {
      sub: 'robot@clients',
      azp: 'robot',
      gty: 'client-credentials',
      scope: 'deploy:read',
      'https://example.test/groups': ['platform'],
    },
  },
  Okta: {
    options: { typ: undefined, tokenType: 'JWT', groups: { claim: 'groups' } },
    user: {
      sub: 'alice@example.test',
      cid: 'editor',
      uid: '00u1',
      scp: ['deploy:read'],
      groups: ['platform'],
    },
    service: { sub: 'robot', cid: 'robot', scp: ['deploy:read'], groups: ['platform'] },
  },
  Cognito: {
    options: { typ: undefined, tokenType: 'JWT', groups: { claim: 'cognito:groups' } },
    user: {
      sub: UUID,
      token_use: 'access',
      client_id: 'editor',
      scope: 'deploy:read',
      'cognito:groups': ['platform'],
    },
    service: {
      sub: 'robot',
      token_use: 'access',
      client_id: 'robot',
      scope: 'deploy:read',
      'cognito:groups': ['platform'],
    },
  },
  IdentityServer: {
    options: { typ: 'at+jwt', missingSubject: 'service', groups: { claim: 'groups' } },
    user: { sub: '42', client_id: 'editor', scope: ['deploy:read'], groups: ['platform'] },
    service: { sub: undefined, client_id: 'robot', scope: ['deploy:read'], groups: ['platform'] },
  },
} as const;

describe('tokens as issuers shape them', () => {
  it.each(Object.entries(shapes))('%s', async (_, { options, user, service }) => {
    const common = { scopes: expect.arrayContaining(['deploy:read']), tokenGroups: ['platform'] };
    expect(await principalOf(user, options)).toMatchObject({
      ...common,
      kind: 'user',
      clientId: 'editor',
    });
    expect(await principalOf(service, options)).toMatchObject({ ...common, kind: 'service' });
  });

  it('takes a person who is named like a service account for a person', async () => {
    const claims = { azp: 'editor', preferred_username: 'service-account-editor', sid: UUID };
    expect(await principalOf(claims, { typ: 'at+jwt' })).toMatchObject({ kind: 'user' });
  });

  it.each<[unknown, string | undefined]>([
    [undefined, 'jo@example.test'],
    [null, 'jo@example.test'],
    [true, 'jo@example.test'],
    ['true', 'jo@example.test'],
    [false, undefined],
    ['false', undefined],
    ['no', undefined],
    [0, undefined],
    [{}, undefined],
  ])('shows an e-mail address that is verified: %j', async (email_verified, email) => {
    const claims = { email: 'jo@example.test', email_verified };
    expect(await principalOf(claims, { typ: 'at+jwt' })).toMatchObject({ email });
  });

  it('takes a token with as many groups as Entra ID puts into one', async () => {
    const groups = Array.from({ length: 200 }, () => crypto.randomUUID());
    const principal = await principalOf({ groups }, { typ: 'at+jwt', groups: { claim: 'groups' } });
    expect(principal.tokenGroups).toHaveLength(200);
  });

  it('takes a claim that is null for absent', async () => {
    const principal = await principalOf({ scp: null, azp: null, scope: 'deploy:read' }, { typ: 'at+jwt' });
    expect(principal).toMatchObject({ scopes: ['deploy:read'], clientId: undefined });
  });

  it.each(['at+jwt', 'dpop+jwt', 'logout+jwt', 'x'])(
    'refuses the type %s where JWT is expected',
    async (typ) => {
      await expect(principalOf({}, { typ, tokenType: 'JWT' })).rejects.toMatchObject({
        code: 'invalid_token',
      });
    },
  );

  it('refuses a token without subject unless it is told what that is', async () => {
    const refused = principalOf({ sub: undefined, client_id: 'robot' }, { typ: 'at+jwt' });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_token' });
  });
});

describe('an issuer with odd answers', () => {
  const close: (() => Promise<void>)[] = [];
  afterEach(() => Promise.all(close.splice(0).map((end) => end())));

  /** Stands before the real issuer, whose documents it hands on unless told otherwise. */
  async function inFront(
    answer: (
      path: string,
      response: ServerResponse,
      documents: { metadata: object; keys: unknown[] },
    ) => boolean,
  ) {
    const server = createServer((request: IncomingMessage, response) => {
      const path = request.url ?? '';
      const documents = { metadata: { issuer: url, jwks_uri: `${url}/jwks` }, keys: [issuer.publicJwk] };
      if (answer(path, response, documents)) {
        return;
      }
      if (path === '/jwks') {
        response.end(JSON.stringify({ keys: documents.keys }));
      } else if (path === '/.well-known/openid-configuration') {
        response.end(JSON.stringify(documents.metadata));
      } else {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return url;
  }

  async function verifyAt(url: string) {
    await using verifier = createTokenVerifier({ issuer: url, audience: AUDIENCE, algorithms: ['ES256'] });
    return await verifier.verify(await issuer.token({ iss: url }), { signal });
  }

  it.each<[string, (response: ServerResponse) => void]>([
    ['a web page', (response) => void response.setHeader('content-type', 'text/html').end('<!doctype html>')],
    ['a redirect', (response) => void response.writeHead(302, { location: '/login' }).end()],
    ['an error', (response) => void response.writeHead(500).end()],
    ['a cut connection', (response) => void response.destroy()],
    ['an empty document', (response) => void response.end('{}')],
    ['a document without keys', (response) => void response.end('{"issuer":"https://other.example.test"}')],
    ['half a document', (response) => void response.end('{"issuer":')],
  ])('is asked at the next place after %s', async (_, odd) => {
    const url = await inFront((path, response) => {
      const isFirst = path === '/.well-known/oauth-authorization-server';
      if (isFirst) {
        odd(response);
      }
      return isFirst;
    });
    await expect(verifyAt(url)).resolves.toMatchObject({ subject: 'alice' });
  });

  it.each([
    ['without kty', { use: 'sig', kid: 'odd' }],
    ['of a kind nobody knows', { kty: 'XX', kid: 'odd' }],
    ['that is null', null],
    ['that is a text', 'key'],
    ['that is broken', { kty: 'EC', crv: 'P-256', x: '!', y: '', kid: 'odd' }],
  ])('may publish a key %s beside a good one', async (_, odd) => {
    const url = await inFront((path, response, { keys }) => {
      if (path === '/jwks') {
        response.end(JSON.stringify({ keys: [odd, ...keys] }));
        return true;
      }
      return false;
    });
    await expect(verifyAt(url)).resolves.toMatchObject({ subject: 'alice' });
  });

  it('may begin its documents with a byte order mark', async () => {
    const url = await inFront((path, response, { metadata, keys }) => {
      const document =
        path === '/jwks' ? { keys } : path.endsWith('openid-configuration') ? metadata : undefined;
      if (document !== undefined) {
        response.end(`\u{FEFF}${JSON.stringify(document)}`);
      }
      return document !== undefined;
    });
    await expect(verifyAt(url)).resolves.toMatchObject({ subject: 'alice' });
  });
});
