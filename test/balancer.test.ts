import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, expect, it } from 'vitest';

interface Balancer {
  readonly close: () => Promise<void>;
}
/** The scripts are JavaScript, for a machine on which nothing is installed. */
const script = (name: string) => import(new URL(`../scripts/${name}`, import.meta.url).href);
const { startBalancer } = (await script('balancer.mjs')) as {
  startBalancer: (port: number, targets: readonly number[]) => Promise<Balancer>;
};
const { freePort } = (await script('replicas.mjs')) as { freePort: () => Promise<number> };

/** A server that says its name and what it was sent. */
async function startNamed(name: string): Promise<Server> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      const from = String(incoming.headers['x-forwarded-for']);
      response.end(JSON.stringify({ name, body: Buffer.concat(chunks).toString(), from }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// A server that listens on a port has an AddressInfo.
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

let servers: Server[];
let port: number;
let balancer: Balancer;
beforeEach(async () => {
  servers = [await startNamed('a'), await startNamed('b'), await startNamed('c')];
  port = await freePort();
  balancer = await startBalancer(port, servers.map(portOf));
});
afterEach(async () => {
  await balancer.close();
  await Promise.all(servers.map(end));
});

function end(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function send(body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

it('gives each server its turn, and hands over what was sent and by whom', async () => {
  const answers = [await send('x'), await send('y'), await send('z')].map(
    ({ text }) => JSON.parse(text) as Record<string, unknown>,
  );
  expect(new Set(answers.map(({ name }) => name))).toEqual(new Set(['a', 'b', 'c']));
  expect(answers.map(({ body }) => body)).toEqual(['x', 'y', 'z']);
  expect(answers.map(({ from }) => from)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
});

it('passes over a server that has gone, with the body, and says when all have', async () => {
  const [first, ...others] = servers;
  await end(first as Server);
  for (const body of ['1', '2', '3', '4']) {
    const { status, text } = await send(body);
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ body })]);
  }
  await Promise.all(others.map(end));
  expect((await send('x')).status).toBe(502);
});
