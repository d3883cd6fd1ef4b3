import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, defineEndpoint, type TokenSource } from '../src/index.ts';
import { signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const shared = defineEndpoint({
  id: 'things.shared',
  method: 'GET',
  path: '/things/{id}',
  query: z.object({ page: z.number().optional() }),
  response: z.object({ id: z.string() }),
  singleFlight: true,
});
const name = 'thing service';
const read = { params: { id: 'a' } };

/** An upstream that answers when it is told to. */
async function startHeldUpstream() {
  const waiting: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  const upstream = await startUpstream((_, response) => {
    waiting.push(() => json(response, 200, { id: 'a' }));
    arrived.resolve();
  });
  return { upstream, arrived: arrived.promise, answer: () => waiting.forEach((release) => release()) };
}

describe('single flight', () => {
  it('sends one request for concurrent calls for the same thing, and a new one afterwards', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: upstream.url });

    const results = await Promise.all(Array.from({ length: 20 }, () => api.call(shared, read, { signal })));

    expect(results.every((result) => result.ok && result.data.id === 'a')).toBe(true);
    expect(upstream.received).toHaveLength(1);
    await api.call(shared, read, { signal });
    expect(upstream.received).toHaveLength(2);
  });

  it('shares nothing between different parameters, queries, headers or tokens', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: upstream.url });
    const tokenOf = (value: string): TokenSource => ({
      get: () => Promise.resolve({ value }),
      invalidate() {},
    });

    await Promise.all([
      api.call(shared, read, { signal }),
      api.call(shared, { params: { id: 'b' } }, { signal }),
      api.call(shared, { ...read, query: { page: 2 } }, { signal }),
      api.call(shared, read, { signal, headers: { 'accept-language': 'de' } }),
      api.call(shared, read, { signal, token: tokenOf('alice') }),
      api.call(shared, read, { signal, token: tokenOf('bob') }),
      // The same caller once more, with a source made anew.
      api.call(shared, read, { signal, token: tokenOf('bob') }),
    ]);

    expect(upstream.received).toHaveLength(6);
  });

  it('lets one caller leave without taking the response from the others', async () => {
    const { upstream, arrived, answer } = await startHeldUpstream();
    await using _ = upstream;
    await using api = createClient({ name, baseUrl: upstream.url });
    const impatient = new AbortController();

    const first = api.call(shared, read, { signal: impatient.signal });
    const second = api.call(shared, read, { signal });
    await arrived;
    impatient.abort();
    expect(await first).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    answer();

    expect(await second).toMatchObject({ ok: true });
    expect(upstream.received).toHaveLength(1);
  });

  it('closes the socket when the last caller has left, and never joins a later one to it', async () => {
    const closed = Promise.withResolvers<void>();
    const caller = new AbortController();
    await using upstream = await startUpstream((_, response, count) => {
      if (count > 1) {
        return json(response, 200, { id: 'a' });
      }
      response.on('close', closed.resolve);
      caller.abort();
    });
    await using api = createClient({ name, baseUrl: upstream.url });

    expect(await api.call(shared, read, { signal: caller.signal })).toMatchObject({ ok: false });
    expect(await api.call(shared, read, { signal })).toMatchObject({ ok: true });
    await closed.promise;
  });

  it('gives every caller its own error for the same failure', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 404, {}));
    await using api = createClient({ name, baseUrl: upstream.url });

    const results = await Promise.all([1, 2].map(() => api.call(shared, read, { signal })));

    expect(upstream.received).toHaveLength(1);
    expect(results.map((result) => !result.ok && result.error.code)).toEqual(['not_found', 'not_found']);
  });

  it('reports a token that cannot be had as any other call does', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const token: TokenSource = { get: () => Promise.reject(new Error('no')), invalidate() {} };
    await using api = createClient({ name, baseUrl: upstream.url, token });

    expect(await api.call(shared, read, { signal })).toMatchObject({
      ok: false,
      error: { code: 'unauthenticated', sent: 'no' },
    });
  });

  it('is refused for anything but GET', () => {
    expect(() =>
      defineEndpoint({ id: 'x', method: 'PUT', path: '/', response: z.unknown(), singleFlight: true }),
    ).toThrow('singleFlight is for GET');
  });
});
