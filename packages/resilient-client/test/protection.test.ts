import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { createClient } from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const name = 'thing service';
const read = { params: { id: 'a' } };

describe('compressed answers', () => {
  it('asks for none', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: upstream.url });

    await api.call(readThing, read, { signal, headers: { 'Accept-Encoding': 'gzip' } });

    expect(upstream.received[0]?.headers['accept-encoding']).toBe('identity');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('reads %s that came all the same', async (coding, compress) => {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-encoding': coding });
      response.end(compress(JSON.stringify({ id: 'a' })));
    });
    await using api = createClient({ name, baseUrl: upstream.url });

    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true, data: { id: 'a' } });
  });

  it('refuses a small body that unpacks to more than the cap', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '));
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(bomb);
    });
    await using api = createClient({ name, baseUrl: upstream.url });

    expect(bomb.length).toBeLessThan(100_000);
    expect(await api.call(readThing, read, { signal })).toMatchObject({
      ok: false,
      error: { code: 'response_too_large', status: 200 },
    });
  });

  it.each([
    ['broken gzip', 'gzip', gzipSync('{"id":"a"}').subarray(0, 15)],
    ['an unknown coding', 'x-secret', gzipSync('{"id":"a"}')],
  ])('takes %s for a response it does not understand', async (_, coding, body) => {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-encoding': coding });
      response.end(body);
    });
    await using api = createClient({ name, baseUrl: upstream.url });

    expect(await api.call(readThing, read, { signal })).toMatchObject({
      ok: false,
      error: { code: 'invalid_response' },
    });
  });
});

describe('private addresses', () => {
  it('are refused when they stand in the base URL', () => {
    expect(() => createClient({ name, baseUrl: 'http://127.0.0.1:1', refusePrivateAddresses: true })).toThrow(
      'baseUrl names a private address',
    );
  });

  it('are refused when a name resolves to them, and nothing is sent', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const { port } = new URL(upstream.url);
    await using api = createClient({
      name,
      baseUrl: `http://localhost:${port}`,
      refusePrivateAddresses: true,
      policy: { retry: { maxRetries: 0 } },
    });

    const result = await api.call(readThing, read, { signal });

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'no', cause: { code: 'ERR_PRIVATE_ADDRESS' } },
    });
    expect(upstream.received).toHaveLength(0);
  });

  it('are reached as long as nobody forbids it', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: `http://localhost:${new URL(upstream.url).port}` });

    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
  });
});

describe('the deadline header', () => {
  it('tells every attempt how long the caller will still wait', async () => {
    const clock = createTestClock();
    await using upstream = await startUpstream((_, response, count) => {
      clock.advance(1_500);
      json(response, count === 1 ? 503 : 200, { id: 'a' });
    });
    await using api = createClient({
      name,
      baseUrl: upstream.url,
      clock,
      random: () => 0,
      deadlineHeader: 'X-Timeout-Ms',
      on: ({ type }) => type === 'retry' && queueMicrotask(() => clock.advance(0)),
    });

    await api.call(readThing, read, { signal, deadlineAt: clock.now() + 9_000 });

    expect(upstream.received.map(({ headers }) => headers['x-timeout-ms'])).toEqual(['9000', '7500']);
  });
});
