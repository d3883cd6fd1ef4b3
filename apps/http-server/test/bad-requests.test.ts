import { randomUUID } from 'node:crypto';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { assertPublic, auditOf, mcpResource } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { assertServes } from './assert-serves.ts';
import { allScopes, startServer, tokenFor, type TestServer } from './http-server.ts';
import { initialize, modernCall, rpcHeaders, send, sendBytes } from './raw-request.ts';

let sandbox: Sandbox;
let server: TestServer;
let token: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  server = await startServer(sandbox);
  token = await tokenFor(sandbox, 'developer');
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
});

// Whatever was sent, the next one is served.
afterEach(() => assertServes(server, token));

describe('a body', () => {
  it.for(['{"jsonrpc": "2.0",', 'not json', '\u0000', '[1,', ''])(
    'that is not JSON is a parse error: %j',
    async (body) => {
      const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32700 } });
      assertPublic(answer.text, sandbox);
    },
  );

  it.for(['null', '1', '"text"', '{}', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', '[]'])(
    'that is JSON and no JSON-RPC message is refused: %s',
    async (body) => {
      const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
      assertPublic(answer.text, sandbox);
    },
  );

  it('of more than a hundred messages is refused before any is looked at', async () => {
    const body = JSON.stringify(
      Array.from({ length: 101 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' })),
    );
    const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('at most 100 messages');
  });

  it('of 2 MB is too large, announced or not', async () => {
    const body = Buffer.alloc(2_000_000, ' ');
    const announced = { ...rpcHeaders(token), 'content-length': String(body.length) };
    const chunked = { ...rpcHeaders(token), 'transfer-encoding': 'chunked' };
    for (const headers of [announced, chunked]) {
      const answer = await send(server.url, { method: 'POST', headers, body });
      expect(answer.status).toBe(413);
      expect(answer.text).toContain('larger than 1 MiB');
      assertPublic(answer.text, sandbox);
    }
  });

  it('of another type is refused', async () => {
    const headers = rpcHeaders(token, { 'content-type': 'text/plain' });
    const answer = await send(server.url, { method: 'POST', headers, body: initialize });
    expect(answer.status).toBe(415);
    assertPublic(answer.text, sandbox);
  });

  it('is not read before the token is verified', async () => {
    const answer = await send(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.alloc(2_000_000, ' '),
    });
    expect(answer.status).toBe(401);
  });
});

describe('a token', () => {
  const metadataUrl = 'https://deployments.example.test/.well-known/oauth-protected-resource/mcp';

  it('that is missing gets a challenge that says where to get one', async () => {
    const answer = await send(server.url, { method: 'POST', body: initialize });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer resource_metadata="/u);
    expect(answer.headers['www-authenticate']).toContain(`resource_metadata="${metadataUrl}"`);
    // All that a person may need: some clients ask for exactly these, and never for more.
    expect(answer.headers['www-authenticate']).toMatch(/scope="[^"]*deploy:read[^"]*deploy:staging/u);
    expect(answer.headers['www-authenticate']).not.toContain('error=');
    const metadata = await send(`${server.origin}${new URL(metadataUrl).pathname}`);
    expect(JSON.parse(metadata.text)).toMatchObject({
      resource: mcpResource,
      authorization_servers: [sandbox.urls.identity],
      scopes_supported: expect.arrayContaining(allScopes),
    });
  });

  it.for(['wrong', 'tampered', 'for another audience', 'unsigned'] as const)(
    'that is %s is invalid',
    async (kind) => {
      const sent = await badToken(kind);
      const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(sent), body: initialize });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
      expect(answer.headers['www-authenticate']).toContain(`resource_metadata="${metadataUrl}"`);
      assertPublic(answer.text, sandbox, [sent]);
      expect(server.process.stderr()).not.toContain(sent);
    },
  );

  it('without a basic scope is forbidden', async () => {
    const sent = await tokenFor(sandbox, 'developer', ['deploy:staging']);
    const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(sent), body: initialize });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"');
    expect(answer.headers['www-authenticate']).toContain('scope="deploy:read"');
  });

  it('that does not pass leaves a denial in the audit trail, at once', async () => {
    const before = auditOf(sandbox, { target: mcpResource, result: 'denied' }).length;
    await send(server.url, { method: 'POST', body: initialize });
    await vi.waitFor(
      () => {
        const denials = auditOf(sandbox, { target: mcpResource, result: 'denied' });
        expect(denials.length).toBeGreaterThan(before);
        expect(denials.at(-1)).toMatchObject({
          action: 'authenticate',
          reason: 'missing_token',
          actor: { kind: 'anonymous' },
        });
      },
      { timeout: 30_000 },
    );
  });

  it('in the query is not looked at', async () => {
    const answer = await send(`${server.url}?access_token=${token}`, { method: 'POST', body: initialize });
    expect(answer.status).toBe(401);
    expect(server.process.stderr()).not.toContain(token);
  });

  async function badToken(kind: 'wrong' | 'tampered' | 'for another audience' | 'unsigned'): Promise<string> {
    const [header = '', payload = '', signature = ''] = token.split('.');
    switch (kind) {
      case 'wrong':
        return 'no-such-token';
      case 'tampered': {
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
        const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'release-manager' }));
        return [header, forged.toString('base64url'), signature].join('.');
      }
      case 'for another audience':
        return sandbox.issueServiceToken('mcp-server', {
          resource: sandbox.platformAudience,
          scopes: ['platform:read'],
        });
      case 'unsigned':
        return [Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url'), payload, ''].join('.');
      default:
        return kind satisfies never;
    }
  }
});

describe('a name', () => {
  it('that is not ours is refused as Host', async () => {
    const headers = rpcHeaders(token, { host: 'evil.example' });
    const answer = await send(server.url, { method: 'POST', headers, body: initialize });
    expect(answer.status).toBe(403);
    assertPublic(answer.text, sandbox);
  });

  it('is refused when there are two Host headers', async () => {
    const host = new URL(server.url).host;
    const answer = await sendBytes(
      server.origin,
      `GET /health HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[03] /u);
  });

  it.for(['https://evil.example', 'null', 'http://127.0.0.1.evil.example'])(
    'of a foreign web page is refused: Origin %s',
    async (origin) => {
      const headers = rpcHeaders(token, { origin });
      const answer = await send(server.url, { method: 'POST', headers, body: initialize });
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  it('of a web page on this machine passes', async () => {
    const call = modernCall(token, 'list_services');
    const headers = { ...call.headers, origin: 'http://localhost:6274' };
    await expect(send(server.url, { ...call, headers })).resolves.toMatchObject({ status: 200 });
  });
});

describe('a request', () => {
  it('with a session that does not exist is told to initialize again', async () => {
    const headers = rpcHeaders(token, { 'mcp-session-id': randomUUID() });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await send(
        server.url,
        method === 'POST' ? { method, headers, body } : { method, headers },
      );
      expect(answer.status).toBe(404);
      expect(answer.text).toContain('Initialize again');
    }
  });

  it.for(['PUT', 'PATCH'])('with the method %s is not allowed', async (method) => {
    const answer = await send(server.url, { method, headers: rpcHeaders(token), body: initialize });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toMatch(/POST/u);
    assertPublic(answer.text, sandbox);
  });

  it('to a path that does not exist says where the endpoint is', async () => {
    for (const path of ['/', '/mcp/../etc/passwd', '/sse', '/%2e%2e/%2e%2e/etc/passwd']) {
      const answer = await send(`${server.origin}${path}`);
      expect(answer.status).toBe(404);
      assertPublic(answer.text, sandbox);
    }
  });
});
