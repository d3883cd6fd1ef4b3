import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { localCaller } from '@mcp-parts/auth';
import { afterEach, describe, expect, it } from 'vitest';

import { serveHttp, type HttpServer, type Server, type ServeHttpOptions } from '../src/index.ts';
import { modern } from './mcp-requests.ts';
import { echoTool, openServer } from './test-server.ts';

/** `pnpm chaos:load` runs the long forms and says what was measured. */
const { LOAD_SECONDS } = process.env;
const SECONDS = Number(LOAD_SECONDS ?? 3);
const SLOW_SOCKETS = LOAD_SECONDS === undefined ? 200 : 1_000;
const tell = (figures: object) =>
  LOAD_SECONDS !== undefined && process.stderr.write(`${JSON.stringify(figures)}\n`);

const opened: (Server | HttpServer | Agent | Socket)[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) {
    await ('close' in resource ? resource.close() : resource.destroy());
  }
});

async function serve(options: Partial<ServeHttpOptions>, workMs: number): Promise<HttpServer> {
  const server = await openServer(
    echoTool(() => sleep(workMs)),
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
  readonly ms: number;
}

function send(url: string, agent: Agent): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, ms: performance.now() - startedAt }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  opened.push(agent);
  return agent;
}

const percentile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? 0;

describe('a server that is offered ten times what it can do', () => {
  it(
    'does four fifths of that and more, and says at once that it is alive',
    { timeout: 60_000 + SECONDS * 3_000 },
    async () => {
      const places = 8;
      // Waiting, not work: the processor belongs to other tests, too.
      const workMs = 250;
      const http = await serve({ maxInFlight: places, maxInFlightPerCaller: places * 100 }, workMs);
      const agent = keepAlive();

      /** As many callers as places, each after the other's answer. */
      const until = performance.now() + SECONDS * 1_000;
      const calm: Answer[] = [];
      const callers = Array.from({ length: places }, async () => {
        while (performance.now() < until) {
          calm.push(await send(http.url, agent));
        }
      });
      await Promise.all(callers);
      expect(new Set(calm.map(({ status }) => status))).toEqual(new Set([200]));
      const capacity = calm.length / SECONDS;

      /** Nobody waits for anybody: what is offered does not sink with what is answered. */
      const offered: Promise<Answer>[] = [];
      const alive: Answer[] = [];
      const startedAt = performance.now();
      let probing = Promise.resolve();
      for (let elapsed = 0; elapsed < SECONDS * 1_000; elapsed = performance.now() - startedAt) {
        while (offered.length < (elapsed / 1_000) * capacity * 10) {
          offered.push(send(http.url, agent));
        }
        probing = probing.then(async () => {
          const sentAt = performance.now();
          const { status } = await fetch(new URL('/health', http.url));
          alive.push({ status, ms: performance.now() - sentAt });
        });
        await sleep(5);
      }
      const answers = await Promise.all(offered);
      await probing;
      const good = answers.filter(({ status }) => status === 200);
      const goodput = good.length / SECONDS / capacity;
      const afterwards = await send(http.url, agent);
      tell({
        capacity: Math.round(capacity),
        offered: answers.length,
        goodput: Number(goodput.toFixed(3)),
        p99Ms: {
          calm: percentile(
            calm.map(({ ms }) => ms),
            0.99,
          ),
          overload: percentile(
            good.map(({ ms }) => ms),
            0.99,
          ),
        },
        healthWorstMs: Math.max(...alive.map(({ ms }) => ms)),
      });
      expect(answers.length).toBeGreaterThan(capacity * SECONDS * 9);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
      expect(goodput).toBeGreaterThan(0.8);
      expect(new Set(alive.map(({ status }) => status))).toEqual(new Set([200]));
      expect(alive.length).toBeGreaterThan(10);
      expect(afterwards.status).toBe(200);
    },
  );
});

describe('clients that send their headers slowly', () => {
  it(
    `do not keep ${SLOW_SOCKETS} sockets, nor the others from their answers`,
    { timeout: 60_000 },
    async () => {
      const http = await serve({ maxConnectionsPerAddress: SLOW_SOCKETS * 2 }, 1);
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
      let isOver = false;
      void all.then(() => (isOver = true));
      while (!isOver) {
        answers.push(await send(http.url, agent));
        await sleep(10);
      }
      tell({
        sockets: ends.length,
        lastedMs: Math.max(...ends),
        p99Ms: percentile(
          answers.map(({ ms }) => ms),
          0.99,
        ),
      });
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(answers.length).toBeGreaterThan(50);
      // The time for headers is 10 s, and it is looked at every second.
      expect(Math.max(...ends)).toBeLessThan(12_000);
    },
  );
});
