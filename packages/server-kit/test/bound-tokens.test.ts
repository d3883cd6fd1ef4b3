import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  authenticationSettings,
  httpSettings,
  openAuthentication,
  serveHttp,
  type Server,
} from '../src/index.ts';
import { readSettings } from '../src/program/settings.ts';
import { silentLogger } from './audited-server.ts';
import { openServer } from './test-server.ts';

const resource = 'https://mcp.example.test/mcp';
/** A certificate, in base64; nobody has its key. */
const CERTIFICATE = [
  'MIIBHzCBxqADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHRlc3QwHhcNMjYxMTI5MTUwMzU5WhcNMjYxMjAxMTUw',
  'MzU5WjAPMQ0wCwYDVQQDDAR0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUGARy2N2+Cqo+o7D8I/atOJ1bJk8irju',
  '2NccH9btsvwDcxtWknMxVmSaNgveFp3gkj43rGulCdBAbqrkBZS9/KMTMBEwDwYDVR0RBAgwBocEfwAAATAKBggqhkjOPQQD',
  'AgNIADBFAiBg6uBsFXuRvMHj7YKBJeS4LrarC86SdQx6AKJQxguzcQIhAKyAqKzfhwvPdaG4e3aHPcBUsgTGbh7ivzXBww20',
  'V2Em',
].join('');

let folder: string;
let issuer: HttpListener;
let base: string;
let server: Server;
let key: { privateKey: KeyObject; publicKey: KeyObject };
let environment: Record<string, string>;

beforeAll(async () => {
  key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  issuer = createServer((_request, response) => {
    response.end(JSON.stringify({ keys: [{ ...jwkOf(key.publicKey), kid: 'k', alg: 'ES256' }] }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  base = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  server = await openServer();
  folder = await mkdtemp(join(tmpdir(), 'mcp-bound-'));
  const write = async (name: string, value: unknown): Promise<string> => {
    await writeFile(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  environment = {
    AUTH_ISSUER: base,
    AUTH_JWKS_URL: `${base}/jwks`,
    AUTH_ALGORITHMS: 'ES256',
    AUTH_AUDIENCE: resource,
    POLICY_FILE: await write('policy.json', { version: 1, permissions: ['echo'], groups: [], grants: [] }),
    DIRECTORY_FILE: await write('directory.json', { version: 1, users: {} }),
  };
});
afterAll(async () => {
  await server.close();
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const jwkOf = (publicKey: KeyObject) => publicKey.export({ format: 'jwk' });

function jws(header: object, claims: object, privateKey: KeyObject): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${encode({ alg: 'ES256', ...header })}.${encode({ iat: Math.floor(Date.now() / 1000), ...claims })}`;
  const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

function tokenBoundTo(cnf: object): string {
  const exp = Math.floor(Date.now() / 1000) + 300;
  const claims = { iss: base, aud: resource, sub: 'jo', client_id: 'editor', scope: 'echo', exp, cnf };
  return jws({ typ: 'at+jwt', kid: 'k' }, claims, key.privateKey);
}

const sha256 = (value: string | Uint8Array) => createHash('sha256').update(value).digest('base64url');

async function served(more: Record<string, string>) {
  const settings = readSettings({ ...httpSettings, ...authenticationSettings }, { ...environment, ...more });
  const authentication = await openAuthentication(settings, silentLogger);
  const http = await serveHttp(server, {
    port: 0,
    gate: authentication.gate(['echo']),
    trustedProxies: settings.TRUSTED_PROXIES,
  });
  return {
    async call(headers: Record<string, string>) {
      const answer = await fetch(http.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: {
            protocolVersion: '2025-06-18',
            capabilities: {},
            clientInfo: { name: 'test', version: '1' },
          },
        }),
      });
      await answer.text();
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await http.close();
      await authentication[Symbol.asyncDispose]();
    },
  };
}

describe('a token that is bound to a certificate', () => {
  const header = { CLIENT_CERTIFICATE_HEADER: 'Client-Cert' };
  const token = () => tokenBoundTo({ 'x5t#S256': sha256(Buffer.from(CERTIFICATE, 'base64')) });

  it('opens the server with the certificate that a trusted proxy passes on', async () => {
    await using http = await served({ ...header, TRUSTED_PROXIES: '127.0.0.1' });
    const authorization = `Bearer ${token()}`;
    expect((await http.call({ authorization, 'client-cert': `:${CERTIFICATE}:` })).status).toBe(200);
    expect((await http.call({ authorization })).status).toBe(401);
  });

  it('does not, with a certificate that anybody sends along', async () => {
    await using http = await served({ ...header, TRUSTED_PROXIES: '192.0.2.1' });
    const authorization = `Bearer ${token()}`;
    expect((await http.call({ authorization, 'client-cert': `:${CERTIFICATE}:` })).status).toBe(401);
  });
});

describe('AUTH_DPOP_NONCE_SECRET', () => {
  it('gives out a nonce with the first refusal, which the next proof holds', async () => {
    await using http = await served({ AUTH_DPOP_NONCE_SECRET: 'x'.repeat(32) });
    const client = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = jwkOf(client.publicKey);
    const jkt = sha256(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }));
    const token = tokenBoundTo({ jkt });
    const prove = (nonce?: string): string =>
      jws(
        { typ: 'dpop+jwt', jwk },
        { jti: randomUUID(), htm: 'POST', htu: resource, ath: sha256(token), nonce },
        client.privateKey,
      );
    const authorization = `DPoP ${token}`;
    const refused = await http.call({ authorization, dpop: prove() });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('use_dpop_nonce');
    const nonce = refused.headers.get('dpop-nonce') ?? '';
    expect((await http.call({ authorization, dpop: prove(nonce) })).status).toBe(200);
  });
});
