import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { connectClient, mcpResource } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { metric, startServer, tokenFor, type TestServer } from './http-server.ts';
import { initialize, messagesOf, rpcHeaders, send } from './raw-request.ts';

let sandbox: Sandbox;
let server: TestServer;
let developer: string;
let viewer: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  server = await startServer(sandbox);
  developer = await tokenFor(sandbox, 'developer');
  viewer = await tokenFor(sandbox, 'viewer');
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
});

const listTools = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
const slowCall = JSON.stringify({
  jsonrpc: '2.0',
  id: 3,
  method: 'tools/call',
  params: { name: 'list_services', arguments: { search: 'fraud' } },
});

/** Opens a session and gives the headers of its requests. */
async function openSession(token: string): Promise<Record<string, string>> {
  const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize });
  expect(answer.status).toBe(200);
  const headers = rpcHeaders(token, {
    'mcp-session-id': String(answer.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  });
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  expect((await send(server.url, { method: 'POST', headers, body })).status).toBe(202);
  return headers;
}

describe('a session of the 2025 era', () => {
  it('is there for the caller who opened it, and for nobody else', async () => {
    const headers = await openSession(developer);
    const mine = await send(server.url, { method: 'POST', headers, body: listTools });
    expect(messagesOf(mine)).toMatchObject([{ id: 2, result: { tools: [{}, {}, {}, {}, {}] } }]);

    const theirs = { ...headers, authorization: `Bearer ${viewer}` };
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await send(server.url, {
        method,
        headers: theirs,
        ...(method === 'POST' ? { body: listTools } : {}),
      });
      expect(answer.status).toBe(404);
      expect(answer.text).toContain('Session not found. Initialize again.');
    }
    // It was not ended either.
    await expect(send(server.url, { method: 'POST', headers, body: listTools })).resolves.toMatchObject({
      status: 200,
    });
  });

  it('ends with DELETE', async () => {
    const headers = await openSession(developer);
    expect((await send(server.url, { method: 'DELETE', headers })).status).toBe(200);
    const after = await send(server.url, { method: 'POST', headers, body: listTools });
    expect(after.status).toBe(404);
  });

  it('needs its token with every request', async () => {
    const { authorization: _, ...headers } = await openSession(developer);
    const answer = await send(server.url, { method: 'POST', headers, body: listTools });
    expect(answer.status).toBe(401);
  });

  it('has one stream for messages of the server, which stays open and ends with the session', async () => {
    const headers = await openSession(developer);
    const stream = await fetch(server.url, { headers: { ...headers, accept: 'text/event-stream' } });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const second = await fetch(server.url, { headers: { ...headers, accept: 'text/event-stream' } });
    expect(second.status).toBe(409);

    await send(server.url, { method: 'DELETE', headers });
    await expect(stream.text()).resolves.toBeDefined();
  });

  it('replays an answer that was missed, after Last-Event-ID', async () => {
    const headers = await openSession(developer);
    await sandbox.faults.set('configuration', { kind: 'latency', ms: 1_000, times: 1 });
    const answered = await callsAnswered();
    const abort = new AbortController();
    const call = await fetch(server.url, {
      method: 'POST',
      // A client that would have JSON gets JSON, and nothing to go on from.
      headers: { ...headers, accept: 'text/event-stream' },
      body: slowCall,
      signal: abort.signal,
    });
    // The stream begins with an event that has an id and no message, to go on from.
    const reader = (call.body as ReadableStream<Uint8Array>).getReader();
    const lastEventId = await firstEventId(reader);
    abort.abort();
    await vi.waitFor(() => expect(callsAnswered()).resolves.toBe(answered + 1), { timeout: 15_000 });

    const resumed = await fetch(server.url, {
      headers: { ...headers, accept: 'text/event-stream', 'last-event-id': lastEventId },
    });
    expect(resumed.status).toBe(200);
    const text = await readUntil((resumed.body as ReadableStream<Uint8Array>).getReader(), /"id":3/u);
    expect(text).toMatch(/^id: /mu);
    expect(text).toContain('fraud-service');
  });

  it('refuses to go on from an event that it does not know', async () => {
    const headers = await openSession(developer);
    const answer = await send(server.url, {
      headers: { ...headers, accept: 'text/event-stream', 'last-event-id': 'no-such-event' },
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/\bat \w+ \(|\.ts:/u);
  });

  it('is counted in the metrics', async () => {
    const count = () => metric(server, /^mcp_server_sessions(?:\{[^}]*\})? (\d+)/mu);
    const before = await count();
    const headers = await openSession(developer);
    await expect(count()).resolves.toBe(before + 1);
    await send(server.url, { method: 'DELETE', headers });
    await expect(count()).resolves.toBe(before);
  });

  it('is not what a client of 2026-07-28 gets', async () => {
    const { length } = server.process.stderr();
    await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token: developer });
    await client.listTools();
    expect(server.process.stderr().slice(length)).not.toContain('session');
  });
});

/** How many calls of the tool have been answered, whoever got the answer. */
function callsAnswered(): Promise<number> {
  return metric(server, /^mcp_parts_server_calls_total\{[^}]*list_services[^}]*\} (\d+)/mu);
}

async function firstEventId(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const text = await readUntil(reader, /^id: .+$/mu);
  return /^id: (.+)$/mu.exec(text)?.[1] ?? '';
}

async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: RegExp): Promise<string> {
  let text = '';
  while (!wanted.test(text)) {
    const { done, value } = await reader.read();
    if (done) {
      throw new Error(`the stream ended before ${wanted}: ${text}`);
    }
    text += new TextDecoder().decode(value);
  }
  return text;
}
