import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { authenticationSettings, openAuthentication } from '../src/index.ts';
import { readSettings } from '../src/program/settings.ts';
import { silentLogger } from './audited-server.ts';

const audience = 'https://mcp.example.test/mcp';
const client = { id: 'mcp-server', secret: 'a secret: of ours' };
const { signal } = new AbortController();

let folder: string;
let issuer: Server;
let base: Record<string, string>;
let introspection: Record<string, string>;

beforeAll(async () => {
  issuer = createServer((request, response) => {
    void text(request).then((body) => {
      const basic = Buffer.from(
        request.headers.authorization?.replace('Basic ', '') ?? '',
        'base64',
      ).toString();
      const isUs = basic === `mcp-server:${new URLSearchParams({ '': client.secret }).toString().slice(1)}`;
      const active = new URLSearchParams(body).get('token') === 'opaque-of-ann';
      const claims = { aud: audience, sub: 'ann', client_id: 'editor', scope: 'deploy:read' };
      const answer = { active, ...(active && { ...claims, exp: Math.floor(Date.now() / 1000) + 300 }) };
      response.writeHead(isUs ? 200 : 401).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;

  folder = await mkdtemp(join(tmpdir(), 'mcp-opaque-'));
  const policy = join(folder, 'policy.json');
  const directory = join(folder, 'directory.json');
  const grants = [{ group: 'viewers', allow: ['deploy:read'] }];
  await writeFile(
    policy,
    JSON.stringify({ version: 1, permissions: ['deploy:read'], groups: ['viewers'], grants }),
  );
  await writeFile(
    directory,
    JSON.stringify({ version: 1, users: { [`${url}#ann`]: { groups: ['viewers'] } } }),
  );
  base = { AUTH_ISSUER: url, AUTH_AUDIENCE: audience, POLICY_FILE: policy, DIRECTORY_FILE: directory };
  introspection = {
    AUTH_INTROSPECTION_URL: `${url}/introspect`,
    AUTH_INTROSPECTION_CLIENT_ID: client.id,
    AUTH_INTROSPECTION_CLIENT_SECRET: client.secret,
  };
});
afterAll(async () => {
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const open = (environment: Record<string, string>) =>
  openAuthentication(readSettings(authenticationSettings, environment), silentLogger);

describe('opaque tokens', () => {
  it('are accepted where the settings name who knows them', async () => {
    await using authentication = await open({ ...base, ...introspection });
    const { authenticator } = authentication;
    await expect(authenticator.authenticate('Bearer opaque-of-ann', { signal })).resolves.toMatchObject({
      id: `${base['AUTH_ISSUER']}#ann`,
      permissions: ['deploy:read'],
    });
    await expect(authenticator.authenticate('Bearer made-up', { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  it('are refused where they do not', async () => {
    await using authentication = await open(base);
    const asked = authentication.authenticator.authenticate('Bearer opaque-of-ann', { signal });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it.each(['AUTH_INTROSPECTION_URL', 'AUTH_INTROSPECTION_CLIENT_ID', 'AUTH_INTROSPECTION_CLIENT_SECRET'])(
    'stop the start where only %s is missing',
    async (name) => {
      const { [name]: _, ...others } = introspection;
      const opening = open({ ...base, ...others });
      await expect(opening).rejects.toThrow(/^AUTH_INTROSPECTION_URL, .*: set all three or none$/u);
    },
  );
});
