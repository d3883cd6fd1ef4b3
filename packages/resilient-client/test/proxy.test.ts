import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { ProxyAgent } from 'undici';
import { describe, expect, it } from 'vitest';

import { createClient } from '../src/index.ts';
import { selfSigned } from './self-signed.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

/** A proxy on loopback that notes what it is asked for: tunnels, and requests by absolute URL, which it answers itself. */
async function startProxy() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    json(response, 200, { id: 'from the proxy' });
  });
  server.on('connect', (request, socket, head) => {
    asked.push(`CONNECT ${request.url}`);
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    socket.on('error', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An HTTPS upstream whose certificate its own authority vouches for. */
async function startTlsUpstream() {
  const { key, cert } = selfSigned('localhost');
  const server = createTlsServer({ key, cert }, (_, response) => json(response, 200, { id: 'over TLS' }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cert,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const fixture = fileURLToPath(new URL('./proxy.fixture.ts', import.meta.url));

/** What a program with these variables gets; Node.js reads them when it starts. */
async function getWith(env: Record<string, string>, ...args: string[]): Promise<unknown> {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@mcp-parts/source', fixture, ...args],
    { env: { PATH, ...env } },
  );
  return JSON.parse(stdout);
}

describe('a proxy', () => {
  it('is taken from the environment where Node.js takes it, and from nowhere else', async () => {
    await using proxy = await startProxy();
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'direct' }));
    const { port } = new URL(upstream.url);
    const env = { HTTP_PROXY: proxy.url };

    expect(await getWith({ ...env, NODE_USE_ENV_PROXY: '1' }, 'http://things.internal/api')).toEqual({
      id: 'from the proxy',
    });
    expect(await getWith(env, upstream.url)).toEqual({ id: 'direct' });
    expect(
      await getWith({ ...env, NODE_USE_ENV_PROXY: '1', NO_PROXY: `127.0.0.1:${port}` }, upstream.url),
    ).toEqual({ id: 'direct' });
    expect(proxy.asked).toEqual(['GET http://things.internal/api/things/a']);
  }, 60_000);

  it('from the environment is a tunnel for https, for tokens too', async () => {
    await using proxy = await startProxy();
    await using upstream = await startTlsUpstream();
    const directory = await mkdtemp(join(tmpdir(), 'resilient-client-'));
    try {
      const authorities = join(directory, 'ca.pem');
      await writeFile(authorities, upstream.cert);
      const env = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: authorities };

      expect(await getWith(env, `https://localhost:${upstream.port}`)).toEqual({ id: 'over TLS' });
      // It says no token, but it was asked.
      expect(
        await getWith(env, `https://localhost:${upstream.port}`, `https://localhost:${upstream.port}/token`),
      ).toBe('unauthenticated no');
      expect(proxy.asked).toEqual(Array(2).fill(`CONNECT localhost:${upstream.port}`));
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 60_000);

  it('elsewhere does not get the credentials that were meant for this machine', async () => {
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://proxy.internal:3128' };
    const local = 'http://127.0.0.1:1';

    expect(await getWith(env, local, 'https://login.internal/token')).toContain('baseUrl must use https');
    for (const exempt of ['127.0.0.1', 'a.internal, 127.0.0.1:1', '*:1']) {
      expect(await getWith({ ...env, NO_PROXY: exempt }, local, `${local}/token`)).toBe('unauthenticated no');
    }
    expect(
      await getWith({ ...env, NO_PROXY: 'LocalHost:1' }, 'http://localhost:1', 'http://localhost:1/token'),
    ).toBe('unauthenticated no');
    expect(await getWith({ ...env, NO_PROXY: '127.0.0.1:2' }, local, `${local}/token`)).toContain(
      'must use https',
    );
  }, 60_000);

  it('may be a dispatcher that is handed in', async () => {
    await using proxy = await startProxy();
    await using upstream = await startTlsUpstream();
    const dispatcher = new ProxyAgent({ uri: proxy.url, requestTls: { ca: upstream.cert } });
    await using api = createClient({
      name: 'thing service',
      baseUrl: `https://localhost:${upstream.port}`,
      dispatcher,
    });

    expect(await api.call(readThing, { params: { id: 'a' } }, { signal })).toMatchObject({
      ok: true,
      data: { id: 'over TLS' },
    });
    expect(proxy.asked).toEqual([`CONNECT localhost:${upstream.port}`]);
    await dispatcher.destroy();
  });
});
