import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { localCaller } from '@mcp-parts/auth';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { serveHttp, type HttpServer, type Server, type ServeHttpOptions } from '../src/index.ts';
import { modern } from './mcp-requests.ts';
import { echoTool, openServer } from './test-server.ts';

const opened: (Server | HttpServer)[] = [];
const agents: Agent[] = [];

afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.destroy();
  }
  for (const resource of opened.splice(0).toReversed()) {
    await resource.close();
  }
});

async function serve(
  options: Partial<ServeHttpOptions> = {},
  before: (text: string) => void | Promise<void> = () => undefined,
): Promise<HttpServer> {
  const server = await openServer(echoTool(before));
  opened.push(server);
  const http = await serveHttp(server, {
    port: 0,
    gate: { unauthenticated: localCaller({ name: 'test', permissions: ['echo'] }) },
    ...options,
  });
  opened.push(http);
  return http;
}

const call = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } });
const body = JSON.stringify(call.body);
const headers = { ...call.headers, 'content-type': 'application/json' };

async function send(url: string, agent: Agent): Promise<{ response: IncomingMessage; answer: string }> {
  const sent = httpRequest(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent,
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { response, answer: await text(response) };
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

async function open(url: string): Promise<{ socket: Socket; received: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  return { socket, received: () => received };
}

/** One request as bytes. */
function bytes(url: string, more = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { host, pathname } = new URL(url);
  return `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

describe('a server that closes', () => {
  it('loses no request of clients that keep their connections, and asks them to leave', async () => {
    const http = await serve({ readinessDelayMs: 200 });
    const statuses: (number | undefined)[] = [];
    const failures: unknown[] = [];
    const over = new AbortController();
    const clients = Array.from({ length: 8 }, async () => {
      const agent = keepAlive();
      while (!over.signal.aborted) {
        try {
          const { response } = await send(http.url, agent);
          statuses.push(response.statusCode);
          // As a load balancer does that has seen that the server is not ready.
          if (response.headers.connection === 'close') {
            return;
          }
        } catch (error) {
          // Once the server takes no new connections, there is nobody to be asked.
          if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
            return;
          }
          failures.push(error);
        }
      }
    });
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(50));
    await http.close();
    over.abort();
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('answers the calls that run', async () => {
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const http = await serve({}, () => {
      started.resolve();
      return release.promise;
    });
    const answer = send(http.url, keepAlive());
    await started.promise;
    const closed = http.close();
    setTimeout(release.resolve, 50);
    const { response, answer: text } = await answer;
    expect(response.headers.connection).toBe('close');
    expect(text).toContain('"structuredContent":{"text":"hi"}');
    await closed;
  });

  it('tells the callers of calls that it cannot wait for', async () => {
    const started = Promise.withResolvers<void>();
    const http = await serve({ drainMs: 0 }, () => {
      started.resolve();
      return new Promise(() => undefined);
    });
    const answer = send(http.url, keepAlive());
    await started.promise;
    await http.close();
    const { answer: text } = await answer;
    expect(JSON.parse(text)).toMatchObject({ id: 1, result: { isError: true } });
  });
});

describe('a client that does not read its answers', () => {
  it('gets no more worked out than one at a time', async () => {
    let running = 0;
    let most = 0;
    const http = await serve({}, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      running -= 1;
    });
    const { socket, received } = await open(http.url);
    socket.write(bytes(http.url).repeat(20));
    await vi.waitFor(() => expect(received().split('"structuredContent"').length - 1).toBe(20));
    expect(most).toBe(1);
    socket.destroy();
  });
});

describe('a request that a proxy could read otherwise', () => {
  it.each([
    ['two Host headers', 'Host: 127.0.0.1\r\n'],
    ['two Authorization headers', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'],
    ['a length and chunks', 'Transfer-Encoding: chunked\r\n'],
    ['two lengths', 'Content-Length: 5\r\n'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n'],
    ['a space before the colon', 'X-Thing : 1\r\n'],
  ])('is refused: %s', async (_what, more) => {
    const http = await serve();
    const { socket, received } = await open(http.url);
    socket.write(bytes(http.url, more));
    await vi.waitFor(() => expect(received()).toMatch(/^HTTP\/1\.1 (?:400|403) /u));
    socket.destroy();
  });
});

describe('connections', () => {
  it('of one address are bounded', async () => {
    const http = await serve({ maxConnectionsPerAddress: 2 });
    const kept = [await open(http.url), await open(http.url)];
    const { hostname, port } = new URL(http.url);
    const third = connect(Number(port), hostname);
    third.on('error', () => undefined);
    await once(third, 'close');
    kept[0]?.socket.destroy();
    await vi.waitFor(async () => {
      const next = await open(http.url);
      next.socket.write(bytes(http.url));
      await vi.waitFor(() => expect(next.received()).toContain('HTTP/1.1 200'), { timeout: 500 });
      next.socket.destroy();
    });
    for (const { socket } of kept) {
      socket.destroy();
    }
  });
});
