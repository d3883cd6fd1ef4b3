import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClient, endpoint, type ClientOptions } from '../src/index.ts';
import { json, startBackend } from './backend.ts';

const Thing = z.object({ id: z.string() });
const read = endpoint({ id: 'things.read', method: 'GET', path: '/things/{id}', response: Thing });
const create = endpoint({
  id: 'things.create',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
});
const createKeyed = endpoint({
  id: 'things.create-keyed',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
  replay: 'key',
});

const signal = new AbortController().signal;

/** No wait between attempts: full jitter with random 0 is 0. */
function client(baseUrl: string, options: Partial<ClientOptions> = {}) {
  return createClient({ name: 'thing service', baseUrl, random: () => 0, ...options });
}

describe('retry', () => {
  it('does not repeat a POST whose connection broke after the body was read', async () => {
    await using backend = await startBackend((_, response) => response.destroy());
    await using api = client(backend.url);

    const result = await api.call(create, { body: { id: 'a' } }, { signal });

    expect(backend.received).toHaveLength(1);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'maybe', isRetryable: false },
    });
    expect(!result.ok && result.error.userMessage).toContain('may have been carried out');
  });

  it('repeats such a POST with the same Idempotency-Key when the endpoint takes one', async () => {
    await using backend = await startBackend((request, response, count) =>
      count === 1 ? response.destroy() : json(response, 201, JSON.parse(request.body)),
    );
    await using api = client(backend.url);

    const result = await api.call(createKeyed, { body: { id: 'a' } }, { signal });

    expect(result).toEqual({ ok: true, data: { id: 'a' }, status: 201, attempts: 2 });
    const keys = backend.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('repeats a GET after a 503 and returns the data', async () => {
    await using backend = await startBackend((_, response, count) =>
      json(response, count === 1 ? 503 : 200, { id: 'a' }),
    );
    await using api = client(backend.url);

    const result = await api.call(read, { params: { id: 'a' } }, { signal });

    expect(result).toEqual({ ok: true, data: { id: 'a' }, status: 200, attempts: 2 });
  });
});
