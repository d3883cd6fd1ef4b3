import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { localCaller } from '@mcp-parts/auth';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { serveHttp, type HttpServer, type Server, type ServeHttpOptions } from '../src/index.ts';
import { modern } from './mcp-requests.ts';
import { echoTool, openServer } from './test-server.ts';

const SLOW_SOCKETS = 200;

const opened: (Server | HttpServer | Agent | Socket)[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) {
    await ('close' in resource ? resource.close() : resource.destroy());
  }
});

async function serve(options: Partial<ServeHttpOptions>, work: () => Promise<void>): Promise<HttpServer> {
  const server = await openServer(
    echoTool(() => work()),
    undefined,
    1_000_000,
  );
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

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

function send(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function keepAlive(): Agent {
  // Opening connections for each request would measure this client.
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  opened.push(agent);
  return agent;
}

describe('a server that is offered ten times what it has places for', () => {
  it('refuses the rest at once, says that it is alive, and fills each place again', async () => {
    const places = 8;
    let release = Promise.withResolvers<void>();
    let running = 0;
    const limits = { maxInFlight: places, maxInFlightPerCaller: places * 100 };
    const http = await serve(limits, () => {
      running += 1;
      return release.promise;
    });
    const agent = keepAlive();
    for (let round = 1; round <= 3; round += 1) {
      const taken = Array.from({ length: places }, () => send(http.url, agent));
      await vi.waitFor(() => expect(running).toBe(places * round), { timeout: 10_000 });
      const refused = await Promise.all(Array.from({ length: places * 10 }, () => send(http.url, agent)));
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
      expect(refused.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);
      expect((await fetch(new URL('/health', http.url))).status).toBe(200);
      release.resolve();
      const served = await Promise.all(taken);
      expect(served.map(({ status }) => status)).toEqual(taken.map(() => 200));
      release = Promise.withResolvers();
    }
    expect(running).toBe(places * 3);
  });
});

describe('clients that send their headers slowly', () => {
  it(
    `do not keep ${SLOW_SOCKETS} sockets, nor the others from their answers`,
    { timeout: 60_000 },
    async () => {
      const http = await serve({ maxConnectionsPerAddress: SLOW_SOCKETS * 2 }, () => sleep(1));
      const agent = keepAlive();
      const { hostname, port } = new URL(http.url);
      const ends: number[] = [];
      const slow = await Promise.all(
        Array.from({ length: SLOW_SOCKETS }, async () => {
          const socket = connect(Number(port), hostname);
          opened.push(socket);
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          const openedAt = performance.now();
          socket.resume();
          socket.write('POST /mcp HTTP/1.1\r\n');
          const drip = setInterval(() => socket.write('x: y\r\n'), 500);
          const closed = new Promise<void>((resolve) => {
            socket.once('close', () => {
              clearInterval(drip);
              ends.push(performance.now() - openedAt);
              resolve();
            });
          });
          return { closed };
        }),
      );
      const all = Promise.all(slow.map(({ closed }) => closed));
      const answers: Answer[] = [];
      const over = new AbortController();
      void all.then(() => over.abort());
      while (!over.signal.aborted) {
        answers.push(await send(http.url, agent));
        await sleep(10);
      }
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(answers.length).toBeGreaterThan(50);
      // The time for headers is 10 s, and it is looked at every second.
      expect(Math.max(...ends)).toBeLessThan(12_000);
    },
  );
});
