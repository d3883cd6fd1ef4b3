import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createRemoteJWKSet, decodeJwt, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Sandbox, startSandbox } from '../src/index.ts';
import { send } from './send.ts';

const mcpResource = 'http://127.0.0.1:3000/mcp';
let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ mcpResource });
});

afterEach(() => sandbox.close());

async function token(
  parameters: Record<string, string>,
  client?: { clientId: string; clientSecret: string },
) {
  const response = await fetch(`${sandbox.urls.identity}/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    ...(client && {
      headers: {
        authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
      },
    }),
  });
  return (await response.json()) as { access_token: string; refresh_token: string; error: string };
}

async function verify(accessToken: string, audience: string) {
  const keys = createRemoteJWKSet(new URL(`${sandbox.urls.identity}/jwks`));
  const { payload } = await jwtVerify(accessToken, keys, {
    issuer: sandbox.urls.identity,
    audience,
    typ: 'at+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['sub', 'iat', 'exp', 'jti', 'client_id'],
  });
  return payload;
}

describe('machine clients', () => {
  it('get an RFC 9068 token for the resource they ask for', async () => {
    const { access_token } = await token(
      {
        grant_type: 'client_credentials',
        resource: sandbox.platformAudience,
        scope: 'platform:read audit:write',
      },
      sandbox.clients.mcpServer,
    );
    expect(await verify(access_token, sandbox.platformAudience)).toMatchObject({
      sub: 'mcp-server',
      client_id: 'mcp-server',
      scope: 'platform:read audit:write',
    });
  });

  it.each([
    ['ciBot', 'https://platform.sandbox.test'],
    ['mcpServer', mcpResource],
    ['ciBot', 'https://elsewhere.example.test'],
  ] as const)('%s gets no token for %s', async (client, resource) => {
    const answer = await token({ grant_type: 'client_credentials', resource }, sandbox.clients[client]);
    expect(answer).toMatchObject({ error: 'invalid_target' });
  });

  it('have secrets of their own in every sandbox', async () => {
    const other = await startSandbox();
    await other.close();
    expect(other.clients.ciBot.clientSecret).not.toBe(sandbox.clients.ciBot.clientSecret);
  });
});

describe('users', () => {
  it('get a token with one request, without their groups in it', async () => {
    const { access_token } = await token({
      grant_type: 'urn:mcp-parts:sandbox:user',
      client_id: sandbox.clients.userTokens.clientId,
      user: 'release-manager',
      resource: mcpResource,
      scope: 'deploy:read deploy:production',
    });
    const claims = await verify(access_token, mcpResource);
    expect(claims).toMatchObject({
      sub: 'release-manager',
      email: 'release-manager@example.test',
      scope: 'deploy:read deploy:production',
    });
    expect(claims).not.toHaveProperty('groups');
  });

  it('get a token from a test even while the provider is down', async () => {
    await sandbox.faults.set('identity', { kind: 'down' });
    const issued = await sandbox.issueUserToken('viewer', { resource: mcpResource, scopes: ['deploy:read'] });
    expect(decodeJwt(issued)).toMatchObject({ sub: 'viewer', aud: mcpResource, scope: 'deploy:read' });
    expect(sandbox.requests('identity')).toEqual([]);
  });

  it('get tokens for a resource that is registered later', async () => {
    const resource = 'http://127.0.0.1:4000/mcp';
    const issue = () => sandbox.issueUserToken('viewer', { resource, scopes: ['deploy:read'] });
    await expect(issue()).rejects.toMatchObject({ error: 'invalid_target' });
    sandbox.registerResource(resource);
    expect(decodeJwt(await issue()).aud).toBe(resource);
  });

  it('sign in through a browser client that registered itself', async () => {
    const { tokens, client_id } = await signInWith('deploy:read deploy:staging offline_access');
    const expected = { sub: 'viewer', client_id, scope: 'deploy:read deploy:staging' };
    expect(await verify(tokens.access_token, mcpResource)).toMatchObject(expected);

    const refreshed = await token({
      grant_type: 'refresh_token',
      client_id,
      refresh_token: tokens.refresh_token,
      resource: mcpResource,
    });
    expect(await verify(refreshed.access_token, mcpResource)).toMatchObject(expected);
  });

  it('get no refresh token unless they asked for offline_access', async () => {
    const { tokens } = await signInWith('deploy:read deploy:staging');
    expect(await verify(tokens.access_token, mcpResource)).toMatchObject({ sub: 'viewer' });
    expect(tokens).not.toHaveProperty('refresh_token');
  });

  async function signInWith(scope: string) {
    const redirectUri = 'http://127.0.0.1:5000/callback';
    const registered = await fetch(`${sandbox.urls.identity}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL(`${sandbox.urls.identity}/auth`);
    url.search = new URLSearchParams({
      client_id,
      response_type: 'code',
      redirect_uri: redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: mcpResource,
      scope,
      prompt: 'consent',
      state: 'state-1',
      login_hint: 'viewer',
    }).toString();
    const redirect = new URL(
      (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? 'about:blank',
    );
    expect(redirect.searchParams.get('state')).toBe('state-1');
    expect(redirect.searchParams.get('iss')).toBe(sandbox.urls.identity);

    const tokens = await token({
      grant_type: 'authorization_code',
      client_id,
      code: redirect.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: mcpResource,
    });
    return { tokens, client_id };
  }

  it('are listed in the directory file with their groups', async () => {
    expect(await readFile(sandbox.directoryFile, 'utf8')).toContain(
      `"${sandbox.urls.identity}#release-manager": { groups: ["developers","production-deployers"] }`,
    );
  });
});

describe('the platform', () => {
  it('takes no request without a token', async () => {
    const response = await fetch(`${sandbox.urls.configuration}/v1/services`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('takes no token that was issued for the MCP server', async () => {
    const foreign = await sandbox.issueUserToken('developer', {
      resource: mcpResource,
      scopes: ['deploy:read'],
    });
    expect((await send(sandbox, 'configuration', '/v1/services', { token: foreign })).status).toBe(401);
  });

  it('takes no token signed by another key', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT({ scope: 'platform:read', client_id: 'mcp-server' })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt' })
      .setIssuer(sandbox.urls.identity)
      .setAudience(sandbox.platformAudience)
      .setSubject('mcp-server')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    expect((await send(sandbox, 'configuration', '/v1/services', { token: forged })).status).toBe(401);
  });
});

describe('a state directory', () => {
  it('keeps keys and secrets for the next start', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'sandbox-state-'));
    try {
      const first = await startSandbox({ stateDirectory });
      await first.close();
      const second = await startSandbox({ stateDirectory });
      await second.close();
      expect(second.clients).toEqual(first.clients);
    } finally {
      await rm(stateDirectory, { recursive: true });
    }
  });
});
