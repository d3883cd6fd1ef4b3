import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, defineEndpoint } from '../src/index.ts';
import { selfSigned } from './self-signed.ts';
import { signal } from './things.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function call(baseUrl: string, response: z.ZodType, headers: Readonly<Record<string, string>> = {}) {
  await using client = createClient({ name: 'shelf', baseUrl });
  const endpoint = defineEndpoint({ id: 'things.put', method: 'POST', path: '/', response });
  return await client.call(endpoint, {}, { signal, headers });
}

const answered = async (listener: RequestListener, response: z.ZodType) =>
  call(`http://127.0.0.1:${await portOf(createServer(listener))}`, response);

describe('a response body', () => {
  it('may begin with a byte order mark', async () => {
    const result = await answered(
      (_, response) => response.end('\u{FEFF}{"a":1}'),
      z.object({ a: z.number() }),
    );
    expect(result).toMatchObject({ ok: true, data: { a: 1 } });
  });

  it.each([
    ['text', 'Accepted'],
    ['JSON', '{"status":"queued"}'],
    ['a web page', '<!doctype html>'],
    ['nothing', ''],
  ])('that the endpoint does not want may be %s', async (_, body) => {
    for (const schema of [z.undefined(), z.void()]) {
      const result = await answered((_request, response) => response.writeHead(202).end(body), schema);
      expect(result).toMatchObject({ ok: true, data: undefined });
    }
  });

  it('that may be absent must fit where it is not', async () => {
    const result = await answered(
      (_, response) => response.end('Accepted'),
      z.object({ a: z.number() }).optional(),
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid_response' } });
  });
});

describe('a request that never left', () => {
  it('is known not to have been sent when TLS fails', async () => {
    const server = createTcpServer((socket) => socket.destroy());
    const result = await call(`https://127.0.0.1:${await portOf(server)}`, z.unknown());
    expect(result).toMatchObject({ ok: false, error: { code: 'network', sent: 'no' } });
  });

  it('is known not to have been sent when nobody vouches for the certificate', async () => {
    const { key, cert } = selfSigned('shelf');
    let requests = 0;
    const server = createTlsServer({ key, cert }, (_, response) => {
      requests += 1;
      response.end();
    });
    server.on('tlsClientError', () => {});
    const result = await call(`https://127.0.0.1:${await portOf(server)}`, z.unknown());
    expect(result).toMatchObject({ ok: false, error: { code: 'network', sent: 'no' } });
    expect(!result.ok && result.error.publicMessage).not.toContain('may have been carried out');
    expect(requests).toBe(0);
  });

  it("is not the upstream's failure when a header of its caller cannot be sent", async () => {
    await using client = createClient({
      name: 'shelf',
      baseUrl: `http://127.0.0.1:${await portOf(createServer((_, response) => response.end('1')))}`,
    });
    const endpoint = defineEndpoint({ id: 'things.put', method: 'POST', path: '/', response: z.number() });
    for (let i = 0; i < 10; i++) {
      const refused = await client.call(endpoint, {}, { signal, headers: { 'keep-alive': 'timeout=5' } });
      expect(refused).toMatchObject({
        ok: false,
        error: { code: 'invalid_request', sent: 'no', attempts: 1, isRetryable: false },
      });
    }
    expect(await client.call(endpoint, {}, { signal })).toMatchObject({ ok: true });
  });
});
