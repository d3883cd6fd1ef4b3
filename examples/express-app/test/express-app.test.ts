import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  Client as Client2026,
  StreamableHTTPClientTransport as Http2026,
} from '@modelcontextprotocol/client';
import { Client as Client2025 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http2025 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createApp } from '../src/app.ts';

const { app, close } = createApp(new Map([['a-key', 'ada']]));
let server: Server;
let url: URL;

beforeAll(async () => {
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
});
afterAll(async () => {
  await close();
  server.closeAllConnections();
  server.close();
});

const info = { name: 'somebody', version: '1.0.0' };
const withKey = { requestInit: { headers: { 'x-api-key': 'a-key' } } };

it('still has its own routes', async () => {
  expect(await (await fetch(new URL('/', url))).text()).toBe('Welcome.');
});

it('answers a client of 2026-07-28 that has a key', async () => {
  const client = new Client2026(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new Http2026(url, withKey));
  const answer = await client.callTool({ name: 'list_offices', arguments: {} });
  expect(answer.structuredContent).toEqual({ cities: ['Lyon', 'Porto'] });
  await client.close();
});

it('answers an older client that has a key', async () => {
  const client = new Client2025(info);
  await client.connect(new Http2025(url, withKey));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['list_offices']);
  await client.close();
});

it('lets nobody in without one', async () => {
  const stranger = new Client2025(info).connect(new Http2025(url));
  await expect(stranger).rejects.toThrow('unknown_key');
});
