import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, endpoint, type TokenSource } from '../src/index.ts';
import { json, startBackend } from './backend.ts';
import { signal } from './things.ts';

const shared = endpoint({
  id: 'things.shared',
  method: 'GET',
  path: '/things/{id}',
  query: z.object({ page: z.number().optional() }),
  response: z.object({ id: z.string() }),
  singleFlight: true,
});
const name = 'thing service';
const read = { params: { id: 'a' } };

/** A backend that answers when it is told to. */
async function startHeldBackend() {
  const waiting: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  const backend = await startBackend((_, response) => {
    waiting.push(() => json(response, 200, { id: 'a' }));
    arrived.resolve();
  });
  return { backend, arrived: arrived.promise, answer: () => waiting.forEach((release) => release()) };
}

describe('single flight', () => {
  it('sends one request for concurrent calls for the same thing, and a new one afterwards', async () => {
    await using backend = await startBackend((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: backend.url });

    const results = await Promise.all(Array.from({ length: 20 }, () => api.call(shared, read, { signal })));

    expect(results.every((result) => result.ok && result.data.id === 'a')).toBe(true);
    expect(backend.received).toHaveLength(1);
    await api.call(shared, read, { signal });
    expect(backend.received).toHaveLength(2);
  });

  it('shares nothing between different parameters, queries, headers or tokens', async () => {
    await using backend = await startBackend((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: backend.url });
    const tokenOf = (value: string): TokenSource => ({ get: () => Promise.resolve({ value }), reject() {} });

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

    expect(backend.received).toHaveLength(6);
  });

  it('lets one caller leave without taking the answer from the others', async () => {
    const { backend, arrived, answer } = await startHeldBackend();
    await using _ = backend;
    await using api = createClient({ name, baseUrl: backend.url });
    const impatient = new AbortController();

    const first = api.call(shared, read, { signal: impatient.signal });
    const second = api.call(shared, read, { signal });
    await arrived;
    impatient.abort();
    expect(await first).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    answer();

    expect(await second).toMatchObject({ ok: true });
    expect(backend.received).toHaveLength(1);
  });

  it('closes the socket when the last caller has left, and never joins a later one to it', async () => {
    const closed = Promise.withResolvers<void>();
    const caller = new AbortController();
    await using backend = await startBackend((_, response, count) => {
      if (count > 1) return json(response, 200, { id: 'a' });
      response.on('close', closed.resolve);
      caller.abort();
    });
    await using api = createClient({ name, baseUrl: backend.url });

    expect(await api.call(shared, read, { signal: caller.signal })).toMatchObject({ ok: false });
    expect(await api.call(shared, read, { signal })).toMatchObject({ ok: true });
    await closed.promise;
  });

  it('gives every caller its own error for the same failure', async () => {
    await using backend = await startBackend((_, response) => json(response, 404, {}));
    await using api = createClient({ name, baseUrl: backend.url });

    const results = await Promise.all([1, 2].map(() => api.call(shared, read, { signal })));

    expect(backend.received).toHaveLength(1);
    expect(results.map((result) => !result.ok && result.error.code)).toEqual(['not_found', 'not_found']);
  });

  it('reports a token that cannot be had as any other call does', async () => {
    await using backend = await startBackend((_, response) => json(response, 200, { id: 'a' }));
    const token: TokenSource = { get: () => Promise.reject(new Error('no')), reject() {} };
    await using api = createClient({ name, baseUrl: backend.url, token });

    expect(await api.call(shared, read, { signal })).toMatchObject({
      ok: false,
      error: { code: 'unauthenticated', sent: 'no' },
    });
  });

  it('is refused for anything but GET', () => {
    expect(() =>
      endpoint({ id: 'x', method: 'PUT', path: '/', response: z.unknown(), singleFlight: true }),
    ).toThrow('singleFlight is for GET');
  });
});
