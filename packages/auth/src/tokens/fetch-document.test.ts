import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';

import { afterEach, expect, it, vi } from 'vitest';

import { fetchDocument } from './fetch-document.ts';

let stack = new DisposableStack();
const never = new AbortController().signal;

afterEach(() => {
  vi.unstubAllGlobals();
  stack.dispose();
  stack = new DisposableStack();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

it('does without fetch, whose parser costs memory', async () => {
  vi.stubGlobal('fetch', () => {
    throw new Error('fetch was called');
  });
  const url = await serve((_request, response) => response.end('\uFEFF{"ü":1}'));
  await expect(fetchDocument(url, never)).resolves.toEqual({ status: 200, text: '{"ü":1}' });
});

it('sends a form with its length', async () => {
  const url = await serve((request, response) => {
    const { method, headers } = request;
    const { 'content-type': type, 'content-length': length } = headers;
    request.once('data', (body: Buffer) =>
      response.end(JSON.stringify([method, type, length, body.toString()])),
    );
  });
  const { text } = await fetchDocument(url, never, { form: new URLSearchParams({ token: 'a b' }) });
  expect(JSON.parse(text)).toEqual([
    'POST',
    'application/x-www-form-urlencoded;charset=UTF-8',
    '9',
    'token=a+b',
  ]);
});

it('asks again where the server closes a connection in the moment in which it is used again', async () => {
  const ports: (number | undefined)[] = [];
  const url = await serve(({ socket }, response) => {
    const isOld = ports.includes(socket.remotePort);
    ports.push(socket.remotePort);
    return isOld ? socket.destroy() : response.end('{}');
  });
  const ask = () => fetchDocument(url, never, { form: new URLSearchParams({ token: 'a' }) });
  await ask();
  await expect(ask()).resolves.toMatchObject({ status: 200 });
  const [first, second, third] = ports;
  expect([second === first, third === first, ports.length]).toEqual([true, false, 3]);
});

it('does not ask again where a new connection is closed', async () => {
  let asked = 0;
  const url = await serve(({ socket }) => {
    asked += 1;
    socket.destroy();
  });
  await expect(fetchDocument(url, never)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(asked).toBe(1);
});

it.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
])('reads a document in %s', async (encoding, compress) => {
  const url = await serve((_request, response) => {
    response.setHeader('content-encoding', encoding).end(compress('{"keys":[]}'));
  });
  await expect(fetchDocument(url, never)).resolves.toMatchObject({ text: '{"keys":[]}' });
});

it.each(['identity', 'gzip'])(
  'refuses what is too large, as it was sent or as it is read (%s)',
  async (encoding) => {
    const large = Buffer.alloc(600 * 1024, ' ');
    const url = await serve((_request, response) => {
      response.setHeader('content-encoding', encoding).end(encoding === 'gzip' ? gzipSync(large) : large);
    });
    await expect(fetchDocument(url, never)).rejects.toThrow('larger than 524288 bytes');
  },
);

it.each(['identity', 'gzip'])('rejects when the connection breaks in the middle (%s)', async (encoding) => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': 1_000 });
    response.write(gzipSync('{}').subarray(0, 12), () => response.destroy());
  });
  await expect(fetchDocument(url, never)).rejects.toThrow('aborted');
});

it.each([false, true])("rejects with the signal's reason (after the head: %s)", async (hasHead) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const url = await serve((_request, response) => {
    if (hasHead) {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(gzipSync('{}').subarray(0, 12), () => controller.abort(reason));
    } else {
      controller.abort(reason);
    }
  });
  await expect(fetchDocument(url, controller.signal)).rejects.toBe(reason);
});

it('does not follow a redirect', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(302, { location: '/keys' }).end('there'),
  );
  await expect(fetchDocument(url, never)).resolves.toEqual({ status: 302, text: 'there' });
});
