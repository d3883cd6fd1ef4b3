import { localCaller } from '@mcp-parts/auth';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { serveHttp, type HttpServer, type Server, type ServeHttpOptions } from '../src/index.ts';
import { openServer } from './test-server.ts';

const opened: (Server | HttpServer)[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) {
    await resource.close();
  }
});

async function serve(options: Partial<ServeHttpOptions>): Promise<string> {
  const server = await openServer();
  opened.push(server);
  const http = await serveHttp(server, {
    port: 0,
    gate: { unauthenticated: localCaller({ name: 'test', permissions: ['echo'] }) },
    ...options,
  });
  opened.push(http);
  return http.url;
}

const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

function initialize(url: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
    }),
  });
}

async function openSession(url: string): Promise<Record<string, string>> {
  const answer = await initialize(url);
  expect(answer.status).toBe(200);
  await answer.text();
  return { ...headers, 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' };
}

async function sessionCount(url: string): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  return Number(/^mcp_server_sessions(?:\{[^}]*\})? (\d+)/mu.exec(metrics)?.[1]);
}

async function listTools(url: string, session: Record<string, string>): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
  const answer = await fetch(url, { method: 'POST', headers: session, body });
  await answer.text();
  return answer.status;
}

describe('a session that nobody uses', () => {
  it('leaves the memory until its client comes back, and one that somebody listens on does not', async () => {
    const url = await serve({ sessionIdleMs: 100 });
    const listened = await openSession(url);
    const stream = await fetch(url, { headers: { ...listened, accept: 'text/event-stream' } });
    expect(stream.status).toBe(200);
    const idle = await openSession(url);

    await vi.waitFor(() => expect(sessionCount(url)).resolves.toBe(1), { timeout: 15_000 });
    await expect(listTools(url, idle)).resolves.toBe(200);
    await expect(listTools(url, listened)).resolves.toBe(200);
    await stream.body?.cancel();
  });
});

describe('an address that others can reach', () => {
  it('needs the names to answer to', async () => {
    await expect(serve({ host: '0.0.0.0' })).rejects.toThrow('allowedHosts: required');
  });

  it('needs authentication', async () => {
    await expect(serve({ host: '0.0.0.0', allowedHosts: ['mcp.example'] })).rejects.toThrow(
      'without authentication the server must listen on loopback',
    );
  });
});
