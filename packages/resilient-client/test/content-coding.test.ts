import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
  type InputType,
} from 'node:zlib';

import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, defineEndpoint } from '../src/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const name = 'thing service';
const read = { params: { id: 'a' } };
const text = JSON.stringify({ id: 'a' });

/** Calls an upstream that answers with this body and coding. */
async function answered(
  coding: string | readonly string[],
  body: Buffer,
  { status = 200, endpoint = readThing }: { status?: number; endpoint?: typeof readThing } = {},
) {
  await using upstream = await startUpstream((_, response) => {
    response.setHeader('content-encoding', coding);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  });
  await using api = createClient({ name, baseUrl: upstream.url, policy: { retry: { maxRetries: 0 } } });
  return await api.call(endpoint, read, { signal });
}

describe('compressed responses', () => {
  it('are not asked for', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: upstream.url });

    await api.call(readThing, read, { signal, headers: { 'Accept-Encoding': 'gzip' } });

    expect(upstream.received[0]?.headers['accept-encoding']).toBe('identity');
  });

  it.each<[string | readonly string[], (body: InputType) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, identity', gzipSync],
    ['identity', (body) => Buffer.from(body as string)],
    ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
    ['deflate , zstd,', (body) => zstdCompressSync(deflateRawSync(body))],
    [['gzip', 'br'], (body) => brotliCompressSync(gzipSync(body))],
  ])('are read all the same: %s', async (coding, compress) => {
    expect(await answered(coding, compress(text))).toMatchObject({ ok: true, data: { id: 'a' } });
  });

  it.each<[string, (body: InputType) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, zstd', (body) => zstdCompressSync(gzipSync(body))],
  ])('are refused when a small one unpacks to more than the cap: %s', async (coding, compress) => {
    const bomb = compress(Buffer.alloc(50 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await answered(coding, bomb)).toMatchObject({
      ok: false,
      error: { code: 'response_too_large', status: 200 },
    });
  });

  it.each([
    ['gzip', gzipSync(text).subarray(0, 15), 'the response is not gzip'],
    ['gzip', Buffer.from(text), 'the response is not gzip'],
    ['zstd', Buffer.from(text), 'the response is not zstd'],
    ['x-secret', gzipSync(text), 'the content coding "x-secret" is not known'],
    ['compress, gzip', gzipSync(text), 'the content coding "compress" is not known'],
    ['constructor', gzipSync(text), 'the content coding "constructor" is not known'],
    ['gzip, gzip, gzip, gzip, gzip', gzipSync(text), 'the response has 5 content codings'],
  ])('that nobody can read say why: %s', async (coding, body, why) => {
    const result = await answered(coding, body);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'invalid_response', status: 200, sent: 'yes', cause: { message: why } },
    });
    expect(!result.ok && result.error.message).toContain(why);
  });

  it('that nobody can read hide neither the status of a failure nor a success without data', async () => {
    expect(await answered('x-secret', Buffer.from('?'), { status: 503 })).toMatchObject({
      error: { code: 'server_error', status: 503 },
    });
    const endpoint = defineEndpoint({ ...readThing, id: 'things.touch', response: z.undefined() });
    expect(await answered('x-secret', Buffer.from('?'), { endpoint: endpoint as never })).toMatchObject({
      ok: true,
    });
  });
});

describe('large integers', () => {
  const exact =
    '{"id":9007199254740993,"small":7,"share":0.1,"name":"9007199254740993","list":[-12345678901234567890]}';

  /** Calls an upstream that answers with this text. */
  async function read(json: string, bigIntegers: 'bigint' | 'string' | undefined) {
    await using upstream = await startUpstream((_, response) => response.end(json));
    await using api = createClient({ name, baseUrl: upstream.url });
    const endpoint = defineEndpoint({
      id: 'any',
      method: 'GET',
      path: '/',
      response: z.unknown(),
      bigIntegers,
    });
    const result = await api.call(endpoint, {}, { signal });
    return result.ok ? result.data : result.error;
  }

  it('stay what they are where the endpoint asks for it, and nothing else changes', async () => {
    const rest = { small: 7, share: 0.1, name: '9007199254740993' };
    expect(await read(exact, 'bigint')).toEqual({
      ...rest,
      id: 9_007_199_254_740_993n,
      list: [-12_345_678_901_234_567_890n],
    });
    expect(await read(exact, 'string')).toEqual({
      ...rest,
      id: '9007199254740993',
      list: ['-12345678901234567890'],
    });
    expect(await read('{"a":1e400,"b":1.5e17}', 'bigint')).toEqual({ a: Infinity, b: 1.5e17 });
    expect(await read(exact, undefined)).toMatchObject({ id: 9_007_199_254_740_992 });
  });

  it('are sent as they are, and a body that is no JSON is refused', async () => {
    await using upstream = await startUpstream((_, response) => response.end('1'));
    await using api = createClient({ name, baseUrl: upstream.url });
    const post = defineEndpoint({
      id: 'put',
      method: 'POST',
      path: '/',
      body: z.unknown(),
      response: z.number(),
    });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;

    expect(await api.call(post, { body: { n: 2n ** 64n } }, { signal })).toMatchObject({ ok: true });
    expect(await api.call(post, { body: circle }, { signal })).toMatchObject({
      error: { code: 'invalid_request', sent: 'no' },
    });
    expect(upstream.received.map(({ body }) => body)).toEqual(['{"n":18446744073709551616}']);
  });
});
