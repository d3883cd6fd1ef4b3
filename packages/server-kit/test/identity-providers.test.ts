import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { Caller } from '@mcp-parts/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { authenticationSettings, checkAuthenticationSettings, openAuthentication } from '../src/index.ts';
import { readSettings } from '../src/program/settings.ts';
import { silentLogger } from './audited-server.ts';

const resource = 'https://mcp.example.test/mcp';
const { signal } = new AbortController();

let folder: string;
let server: Server;
let base: string;
let key: { privateKey: KeyObject; publicKey: KeyObject };
let files: Record<string, string>;
/** What the last question to the introspection endpoint was. */
let asked: URLSearchParams;

beforeAll(async () => {
  key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? '';
      if (path.endsWith('/jwks')) {
        const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' };
        response.end(JSON.stringify({ keys: [jwk] }));
      } else if (path === '/introspect') {
        asked = new URLSearchParams(body);
        const exp = Math.floor(Date.now() / 1000) + 300;
        const claims = { aud: resource, sub: 'ann', client_id: 'editor', scope: 'deploy:read', exp };
        response.end(JSON.stringify({ active: true, token_type: 'Bearer', ...claims }));
      } else if (path.endsWith('/.well-known/openid-configuration')) {
        const issuer = base + path.replace('/.well-known/openid-configuration', '');
        response.end(JSON.stringify({ issuer, jwks_uri: `${base}/jwks` }));
      } else {
        response.writeHead(404).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  folder = await mkdtemp(join(tmpdir(), 'mcp-providers-'));
  const write = async (name: string, value: unknown): Promise<string> => {
    await writeFile(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  files = {
    POLICY_FILE: await write('policy.json', {
      version: 1,
      permissions: ['deploy:read', 'deploy:staging'],
      groups: ['viewers'],
      grants: [{ group: 'viewers', allow: ['deploy:*'] }],
    }),
    DIRECTORY_FILE: await write('directory.json', { version: 1, users: {} }),
    issuers: await write('issuers.json', {
      version: 1,
      issuers: [
        {
          issuer: `${base}/oauth2/partner`,
          provider: 'okta',
          algorithms: ['ES256'],
          groups: { claim: 'groups', names: { 'b1-a5': 'viewers' } },
        },
      ],
    }),
    broken: await write('broken.json', { version: 1, issuers: [{ issuer: base, colour: 'red' }] }),
  };
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

function jwt(claims: object, typ?: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${encode({ alg: 'ES256', kid: 'k', typ })}.${encode({ iat: seconds, exp: seconds + 300, ...claims })}`;
  const signature = sign('sha256', Buffer.from(body), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

const settingsOf = (more: Record<string, string>) =>
  readSettings(authenticationSettings, {
    AUTH_ALGORITHMS: 'ES256',
    AUTH_AUDIENCE: resource,
    POLICY_FILE: files['POLICY_FILE'],
    DIRECTORY_FILE: files['DIRECTORY_FILE'],
    ...more,
  });
const open = (more: Record<string, string>) => openAuthentication(settingsOf(more), silentLogger);
const problemsOf = (more: Record<string, string>) => checkAuthenticationSettings(settingsOf(more)).join('\n');

async function callerOf(more: Record<string, string>, token: string): Promise<Caller> {
  await using authentication = await open(more);
  return await authentication.authenticator.authenticate(`Bearer ${token}`, { signal });
}

describe('AUTH_PROVIDER', () => {
  it('keycloak lets its people in, with roles as groups and client roles as scopes', async () => {
    const iss = `${base}/realms/acme`;
    const caller = await callerOf(
      {
        AUTH_ISSUER: iss,
        AUTH_PROVIDER: 'keycloak',
        AUTH_GROUPS_CLAIM: 'realm_access.roles',
        AUTH_SCOPE_CLAIMS: 'scope,resource_access.mcp.roles',
      },
      jwt(
        {
          iss,
          aud: [resource, 'account'],
          sub: '1',
          typ: 'Bearer',
          azp: 'editor',
          sid: 's',
          scope: 'openid deploy:read',
          realm_access: { roles: ['viewers'] },
          resource_access: { mcp: { roles: ['deploy:staging'] } },
        },
        'JWT',
      ),
    );
    expect(caller).toMatchObject({ kind: 'user', permissions: ['deploy:read', 'deploy:staging'] });
  });

  it('entra takes an audience that is no URL, and group ids by their names', async () => {
    const more = {
      AUTH_ISSUER: `${base}/tenant/v2.0`,
      AUTH_PROVIDER: 'entra',
      AUTH_AUDIENCE: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      AUTH_RESOURCE: resource,
      AUTH_GROUPS_CLAIM: 'groups',
      AUTH_GROUP_NAMES: 'cc94=viewers,dd05=others',
    };
    const claims = { iss: more.AUTH_ISSUER, aud: more.AUTH_AUDIENCE, oid: '1', sub: '2', azp: 'editor' };
    const caller = await callerOf(more, jwt({ ...claims, scp: 'deploy:read', groups: ['cc94'] }, 'JWT'));
    expect(caller).toMatchObject({ id: `${more.AUTH_ISSUER}#1`, permissions: ['deploy:read'] });
    await using authentication = await open(more);
    expect(authentication.gate([])).toMatchObject({
      resource,
      authorizationServers: [more.AUTH_ISSUER],
      // Clients must ask for a scope by the resource that it belongs to.
      scopePrefix: `${resource}/`,
    });
  });

  it('cognito takes tokens without audience of known clients', async () => {
    const more = { AUTH_ISSUER: `${base}/pool`, AUTH_PROVIDER: 'cognito', AUTH_CLIENTS: 'editor' };
    const claims = {
      iss: more.AUTH_ISSUER,
      sub: '1',
      username: 'jo',
      token_use: 'access',
      scope: `${resource}/deploy:read`,
    };
    await expect(callerOf(more, jwt({ ...claims, client_id: 'editor' }))).resolves.toMatchObject({
      scopes: ['deploy:read'],
    });
    await expect(callerOf(more, jwt({ ...claims, client_id: 'other' }))).rejects.toMatchObject({
      code: 'invalid_token',
    });
    expect(problemsOf({ ...more, AUTH_CLIENTS: '' })).toMatch(/^AUTH_CLIENTS is required/u);
  });

  it('ad-fs takes a name that is http, and tells clients the address', async () => {
    const more = {
      AUTH_ISSUER: 'http://fs.example.test/adfs/services/trust',
      AUTH_PROVIDER: 'ad-fs',
      AUTH_JWKS_URL: `${base}/jwks`,
      AUTH_AUTHORIZATION_SERVER: 'https://fs.example.test/adfs',
    };
    const claims = { iss: more.AUTH_ISSUER, aud: resource, sub: '1', appid: 'editor', scp: 'deploy:read' };
    await expect(callerOf(more, jwt(claims, 'JWT'))).resolves.toMatchObject({ clientId: 'editor' });
    await using authentication = await open(more);
    expect(authentication.gate([]).authorizationServers).toEqual(['https://fs.example.test/adfs']);
    expect(problemsOf({ ...more, AUTH_AUTHORIZATION_SERVER: '' })).toMatch(
      /^AUTH_AUTHORIZATION_SERVER is required/u,
    );
    expect(problemsOf({ ...more, AUTH_JWKS_URL: '' })).toMatch(/AUTH_ISSUER must use https/u);
  });

  it('never makes an ID token an access token', async () => {
    const iss = `${base}/realms/acme`;
    for (const AUTH_PROVIDER of [
      'keycloak',
      'entra',
      'okta',
      'auth0',
      'identity-server',
      'ping-federate',
      'ad-fs',
    ]) {
      const id = jwt({ iss, aud: resource, sub: '1', oid: '1', nonce: 'n', name: 'Jo' }, 'JWT');
      await expect(callerOf({ AUTH_ISSUER: iss, AUTH_PROVIDER }, id)).rejects.toMatchObject({
        code: 'invalid_token',
      });
    }
  });
});

describe('AUTH_ISSUERS_FILE', () => {
  it('lets further issuers in, each with its own rules', async () => {
    const more = { AUTH_ISSUER: base, AUTH_ISSUERS_FILE: files['issuers'] ?? '' };
    const partner = `${base}/oauth2/partner`;
    const claims = {
      aud: resource,
      sub: 'jo',
      uid: '00u1',
      cid: 'editor',
      scp: ['deploy:read'],
      groups: ['b1-a5'],
    };
    await expect(callerOf(more, jwt({ ...claims, iss: partner }))).resolves.toMatchObject({
      id: `${partner}#00u1`,
      permissions: ['deploy:read'],
    });
    // The first issuer follows RFC 9068.
    await expect(callerOf(more, jwt({ ...claims, iss: base }))).rejects.toMatchObject({
      code: 'invalid_token',
    });
    await expect(callerOf(more, jwt({ ...claims, iss: base }, 'at+jwt'))).resolves.toMatchObject({
      id: `${base}#jo`,
      permissions: [],
    });
    await using authentication = await open(more);
    expect(authentication.gate([]).authorizationServers).toEqual([base, partner]);
  });

  it('stops the start when it is wrong, by file and key', async () => {
    await expect(open({ AUTH_ISSUER: base, AUTH_ISSUERS_FILE: files['broken'] ?? '' })).rejects.toThrow(
      /broken\.json: issuers\[0\]: .*colour/u,
    );
  });
});

describe('AUTH_INTROSPECTION_CLIENT_AUTH', () => {
  it('post signs in with the form', async () => {
    const more = {
      AUTH_ISSUER: base,
      AUTH_INTROSPECTION_URL: `${base}/introspect`,
      AUTH_INTROSPECTION_CLIENT_ID: 'mcp',
      AUTH_INTROSPECTION_CLIENT_SECRET: 's3cret',
      AUTH_INTROSPECTION_CLIENT_AUTH: 'post',
    };
    await expect(callerOf(more, 'opaque')).resolves.toMatchObject({ subject: 'ann' });
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: 'mcp',
      client_secret: 's3cret',
      token: 'opaque',
    });
  });
});

describe('AUTH_INTROSPECT_JWTS', () => {
  it('asks about JWTs too, and only those of that issuer', async () => {
    const more = {
      AUTH_ISSUER: base,
      AUTH_ISSUERS_FILE: files['issuers'] ?? '',
      AUTH_INTROSPECT_JWTS: 'true',
      AUTH_INTROSPECTION_URL: `${base}/introspect`,
      AUTH_INTROSPECTION_CLIENT_ID: 'mcp',
      AUTH_INTROSPECTION_CLIENT_SECRET: 's3cret',
    };
    // Nothing here says what it is: the endpoint does.
    const token = jwt({ iss: base, aud: 'x', sub: 'y' });
    await expect(callerOf(more, token)).resolves.toMatchObject({ id: `${base}#ann` });
    expect(asked.get('token')).toBe(token);
    await expect(callerOf(more, jwt({ iss: 'https://other.test' }))).rejects.toMatchObject({
      code: 'invalid_token',
    });
    expect(asked.get('token')).toBe(token);
    expect(problemsOf({ AUTH_ISSUER: base, AUTH_INTROSPECT_JWTS: 'true' })).toMatch(
      /^AUTH_INTROSPECTION_URL is required/u,
    );
  });
});
