import { afterEach, describe, expect, it, vi } from 'vitest';

import type { McpApp, McpAppOptions } from '../src/index.ts';
import { byApiKey, echoApp, initialize, post } from './mcp-requests.ts';

let app: McpApp;
afterEach(() => app.close());

const allowedOrigins = ['https://client.example.com', 'localhost'];

function preflight(
  origin: string,
  path = '/mcp',
  asked = 'authorization, mcp-session-id',
): Promise<Response> {
  return app.fetch(
    new Request(`http://mcp.test${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      },
    }),
  );
}

describe('a page of an allowed origin', () => {
  it.each(['https://client.example.com', 'http://localhost:6274', 'HTTPS://client.example.com'])(
    'is told before anything else that it may call: %s',
    async (origin) => {
      const authenticate = vi.fn<McpAppOptions['authenticate']>(byApiKey);
      app = echoApp({ allowedOrigins, authenticate });
      const answer = await preflight(origin, '/mcp', 'authorization, mcp-param-region, x-evil');
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toBe('Origin');
      const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase();
      for (const name of ['authorization', 'mcp-protocol-version', 'mcp-session-id', 'mcp-param-region']) {
        expect(allowed).toContain(name);
      }
      expect(allowed).not.toContain('x-evil');
      expect(authenticate).not.toHaveBeenCalled();
    },
  );

  it.each([
    ['an answer', {}, 200],
    ['a refusal', { 'x-api-key': undefined }, 401],
    ['a fault', { 'content-type': 'text/plain' }, 415],
  ])('can read %s', async (_what, changed, status) => {
    app = echoApp({ allowedOrigins });
    const headers = { origin: 'http://localhost:6274', 'x-api-key': 'ann', ...changed };
    const given = Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const answer = await app.fetch(
      new Request('http://mcp.test/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...Object.fromEntries(given) },
        body: JSON.stringify(initialize()),
      }),
    );
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    const exposed = answer.headers.get('access-control-expose-headers');
    for (const name of ['Mcp-Session-Id', 'MCP-Protocol-Version', 'WWW-Authenticate', 'Retry-After']) {
      expect(exposed).toContain(name);
    }
  });
});

describe('a page of another origin', () => {
  it.each([
    'https://evil.example.com',
    'null',
    'https://client.example.com.evil.example',
    'http://127.0.0.1',
    'not an origin',
  ])('is refused: %s', async (origin) => {
    app = echoApp({ allowedOrigins });
    for (const answer of [await preflight(origin), await post(app, initialize(), { origin })]) {
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('any page', () => {
  it('reads what is public', async () => {
    app = echoApp({ documents: [{ paths: ['/.well-known/thing'], body: { open: true } }] });
    const url = 'http://mcp.test/.well-known/thing';
    const answer = await app.fetch(new Request(url, { headers: { origin: 'https://anybody.example' } }));
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    await expect(answer.json()).resolves.toEqual({ open: true });
    expect((await preflight('https://anybody.example', '/.well-known/thing')).status).toBe(204);
    expect((await app.fetch(new Request(url, { method: 'POST' }))).status).toBe(405);
  });
});

describe('another method', () => {
  it.each(['PUT', 'PATCH', 'OPTIONS', 'HEAD'])(
    'is not allowed, before anybody is asked for: %s',
    async (method) => {
      app = echoApp();
      const answer = await app.fetch(new Request('http://mcp.test/mcp', { method }));
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toContain('POST');
    },
  );
});
