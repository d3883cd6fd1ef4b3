import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Client } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import express from 'express';
import { fastify } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';

import { echoApp, initialize } from './mcp-requests.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).toReversed()) {
    await end();
  }
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const key = { headers: { 'x-api-key': 'ann' } };

/** A whole conversation in each era, by the clients of both SDKs. */
async function converse(url: string): Promise<unknown[]> {
  const modern = new Client({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await modern.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: key }));
  const first = await modern.callTool({ name: 'echo', arguments: { text: 'hi' } });
  await modern.close();
  const legacy = new Client1({ name: 'legacy', version: '1' });
  await legacy.connect(new Transport1(new URL(url), { requestInit: key }));
  const second = await legacy.callTool({ name: 'echo', arguments: { text: 'hi' } });
  await legacy.close();
  return [first.structuredContent, second.structuredContent];
}

const echoed = [{ text: 'hi' }, { text: 'hi' }];

describe('an endpoint', () => {
  it('is mounted in an existing express app, whether or not it parses bodies', async () => {
    const app = echoApp();
    cleanup.push(() => app.close());
    const parsing = express();
    parsing.use(express.json());
    parsing.get('/hello', (_request, response) => void response.send('hello'));
    parsing.all('/mcp', (request, response) => app.node(request, response, request.body as unknown));
    const url = await listen(createServer(parsing));
    await expect(converse(`${url}/mcp`)).resolves.toEqual(echoed);
    await expect((await fetch(`${url}/hello`)).text()).resolves.toBe('hello');

    const plain = express();
    plain.use(app.node);
    plain.get('/hello', (_request, response) => void response.send('hello'));
    const other = await listen(createServer(plain));
    await expect(converse(`${other}/mcp`)).resolves.toEqual(echoed);
    await expect((await fetch(`${other}/hello`)).text()).resolves.toBe('hello');
  });

  it('is mounted under a path of an express app', async () => {
    const app = echoApp({ path: '/tools/mcp' });
    cleanup.push(() => app.close());
    const outer = express();
    outer.use('/tools', app.node);
    await expect(converse(`${await listen(createServer(outer))}/tools/mcp`)).resolves.toEqual(echoed);
  });

  it('is mounted in an existing Fastify app', async () => {
    const app = echoApp();
    const outer = fastify({ forceCloseConnections: true });
    // Fastify waits for streams, which end with the endpoint.
    cleanup.push(
      () => outer.close(),
      () => app.close(),
    );
    outer.post('/other', async (request) => ({ got: request.body }));
    await outer.register(app.fastify);
    const url = await outer.listen({ port: 0, host: '127.0.0.1' });
    await expect(converse(`${url}/mcp`)).resolves.toEqual(echoed);
    // The rest of the app reads its bodies as before.
    const other = await fetch(`${url}/other`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    await expect(other.json()).resolves.toEqual({ got: { a: 1 } });
  });

  it('is mounted on a plain node server, at its own path alone', async () => {
    const app = echoApp({ path: '/api/tools/' });
    cleanup.push(() => app.close());
    const url = await listen(createServer((request, response) => void app.node(request, response)));
    await expect(converse(`${url}/api/tools`)).resolves.toEqual(echoed);
    await expect(converse(`${url}/api/tools/`)).resolves.toEqual(echoed);
    expect((await fetch(`${url}/mcp`)).status).toBe(404);
  });

  it('takes requests whose target is absolute', async () => {
    const app = echoApp();
    cleanup.push(() => app.close());
    const url = await listen(createServer((request, response) => void app.node(request, response)));
    const { port } = new URL(url);
    const body = JSON.stringify(initialize());
    const { request } = await import('node:http');
    const sent = request({
      port,
      method: 'POST',
      path: `${url}/mcp`,
      headers: {
        ...key.headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume: () => void }];
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it('refuses in the words of its own scheme', async () => {
    const app = echoApp();
    cleanup.push(() => app.close());
    const answer = await app.fetch(new Request('http://mcp.test/mcp', { method: 'POST' }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('ApiKey');
    await expect(answer.json()).resolves.toEqual({ error: 'no_key' });
  });

  it('tells nobody why the scheme failed', async () => {
    const app = echoApp({
      authenticate: () => {
        throw new Error('ldap://secret-host is down');
      },
    });
    cleanup.push(() => app.close());
    const answer = await app.fetch(new Request('http://mcp.test/mcp', { method: 'POST' }));
    expect(answer.status).toBe(500);
    await expect(answer.text()).resolves.not.toContain('secret-host');
  });
});
