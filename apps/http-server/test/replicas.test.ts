import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { openRedis } from '@mcp-parts/redis';
import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { connectClient, mcpResource } from '@mcp-parts/sandbox/testing';
import { assembleServer, serveHttp } from '@mcp-parts/server-kit';
import { findService, startRedis, type RedisServer } from '@mcp-parts/test-services';
import { defineResource } from '@mcp-parts/tool-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { initialize, messagesOf, modernCall, rpcHeaders, send } from './raw-request.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const patiently = { timeout: 30_000, interval: 100 };

const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The structured content of an answer. */
const contentOf = (answer: Parameters<typeof messagesOf>[0]) =>
  z
    .tuple([
      z.looseObject({ result: z.looseObject({ structuredContent: z.record(z.string(), z.unknown()) }) }),
    ])
    .parse(messagesOf(answer))[0].result.structuredContent;

describe.skipIf(program === undefined)('three servers on one redis', { timeout: 60_000 }, () => {
  let sandbox: Sandbox;
  let redis: RedisServer;
  let servers: TestServer[];
  let developer: string;
  beforeAll(async () => {
    sandbox = await startSandbox({ mcpResource });
    redis = await startRedis();
    const shared = {
      REDIS_URL: redis.url,
      SESSION_KEY: randomBytes(32).toString('base64'),
      RATE_LIMIT_PER_MINUTE: '1000',
    };
    servers = await Promise.all([1, 2, 3].map(() => startServer(sandbox, shared)));
    developer = await tokenFor(sandbox, 'developer');
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await redis[Symbol.asyncDispose]();
    await sandbox.close();
  });
  const urlOf = (index: number) => servers[index % servers.length]?.url ?? '';

  it('follow on any of them what one has started', async () => {
    const deployment = { service: 'user-service', version: '3.8.5', environment: 'staging' };
    const started = await send(urlOf(0), modernCall(developer, 'trigger_deployment', deployment));
    const { taskId } = contentOf(started);
    let asked = 0;
    await vi.waitFor(async () => {
      asked += 1;
      const status = await send(urlOf(asked), modernCall(developer, 'check_deployment_status', { taskId }));
      expect(contentOf(status)).toMatchObject({ state: 'completed' });
    }, patiently);
  });

  it('serve the sessions of each other', async () => {
    const headers = rpcHeaders(developer);
    const opened = await send(urlOf(0), { method: 'POST', headers, body: initialize });
    const session = {
      'mcp-session-id': String(opened.headers['mcp-session-id']),
      'mcp-protocol-version': '2025-11-25',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    const answer = await send(urlOf(1), { method: 'POST', headers: { ...headers, ...session }, body });
    expect(messagesOf(answer)).toMatchObject([{ id: 2, result: { tools: expect.any(Array) } }]);
  });

  it('fail no call while redis stops and starts under load', async () => {
    const over = new AbortController();
    const failures: string[] = [];
    let calls = 0;
    const load = servers.map(async ({ url }) => {
      await using client = await connectClient('sdk-2.x-pinned', { url, token: developer });
      while (!over.signal.aborted) {
        const { isError, content } = await client.callTool('list_services', { search: 'user' });
        calls += 1;
        if (isError === true) {
          failures.push(JSON.stringify(content));
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    const more = async () => {
      const before = calls;
      await vi.waitFor(() => expect(calls).toBeGreaterThan(before + 12), patiently);
    };
    await more();
    await redis.kill();
    await more();
    const [degraded] = await Promise.all([send(`${servers[0]?.origin}/ready`), more()]);
    expect(degraded.status).toBe(200);
    await redis.restart();
    await more();
    over.abort();
    await Promise.all(load);
    expect(failures).toEqual([]);
  });

  it('say of a task that nobody can be asked, and not that there is none', async () => {
    await redis.kill();
    await vi.waitFor(async () => {
      const answer = await send(
        urlOf(0),
        modernCall(developer, 'check_deployment_status', { taskId: crypto.randomUUID() }),
      );
      expect(answer.text).toContain('cannot be reached now. Try again in 10 s.');
    }, patiently);
    await redis.restart();
  });
});

it.skipIf(program === undefined)(
  'a client that listens at one server hears of a change at another',
  async () => {
    await using redis = await startRedis();
    await using first = await openRedis({ url: redis.url });
    await using second = await openRedis({ url: redis.url });
    const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-listen-'));
    const note = defineResource({
      name: 'note',
      description: 'A note.',
      uriTemplate: 'note://{id}',
      mimeType: 'text/plain',
      parameters: z.object({ id: z.string() }),
      permission: 'read',
      list: () => Promise.resolve([]),
      read: () => Promise.resolve('a note'),
    });
    await using server = await assembleServer({
      serverInfo: { name: 'first', version: '1.0.0' },
      definitions: { resources: [note] },
      logger,
      stateDirectory,
      ports: { events: first.events, rateLimiter: first.rateLimiter },
    });
    const caller = localCaller({ name: 'test', permissions: ['read'] });
    await using http = await serveHttp(server, { port: 0, gate: { unauthenticated: caller } });
    const request = modernCall('', '');
    const response = await fetch(http.url, {
      method: 'POST',
      headers: { ...request.headers, 'mcp-method': 'subscriptions/listen', 'mcp-name': '' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'listen',
        method: 'subscriptions/listen',
        params: {
          notifications: { resourceSubscriptions: ['note://1'] },
          _meta: (JSON.parse(request.body) as { params: { _meta: object } }).params._meta,
        },
      }),
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const listening = (async () => {
      while (!heard.includes('notifications/resources/updated')) {
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        heard += value ?? '';
        if (done) {
          return;
        }
      }
    })();
    const publishing = setInterval(
      () => second.events.publish({ kind: 'resource_updated', uri: 'note://1' }),
      100,
    );
    await listening;
    clearInterval(publishing);
    await reader?.cancel();
    expect(heard).toContain('"uri":"note://1"');
    await rm(stateDirectory, { recursive: true, force: true });
  },
);
