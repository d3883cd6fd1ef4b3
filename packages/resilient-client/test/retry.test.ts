import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { createClient, type ClientEvent, type ClientOptions } from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { createThing, createThingOnce, readThing, signal } from './things.ts';
import { json, problem, startUpstream } from './upstream.ts';

/** No wait between attempts: full jitter with random 0 is 0. */
function client(baseUrl: string, options: Partial<ClientOptions> = {}) {
  return createClient({ name: 'thing service', baseUrl, random: () => 0, ...options });
}

describe('retry', () => {
  it('does not repeat a POST whose connection broke after the body was read', async () => {
    await using upstream = await startUpstream((_, response) => response.destroy());
    await using api = client(upstream.url);

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(1);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'maybe', isRetryable: false },
    });
    expect(!result.ok && result.error.publicMessage).toContain('may have been carried out');
  });

  it('repeats such a POST with the same Idempotency-Key when the endpoint takes one', async () => {
    await using upstream = await startUpstream((request, response, count) =>
      count === 1 ? response.destroy() : json(response, 201, JSON.parse(request.body)),
    );
    await using api = client(upstream.url);

    const result = await api.call(createThingOnce, { body: { id: 'a' } }, { signal });

    expect(result).toEqual({ ok: true, data: { id: 'a' }, status: 201, attempts: 2 });
    const keys = upstream.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('repeats a GET after a 503 and returns the data', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 503 : 200, { id: 'a' }),
    );
    await using api = client(upstream.url);

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(result).toEqual({ ok: true, data: { id: 'a' }, status: 200, attempts: 2 });
  });

  it('repeats a POST that the upstream refused for load', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 429 : 201, { id: 'a' }),
    );
    await using api = client(upstream.url);

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });

    expect(result).toMatchObject({ ok: true, attempts: 2 });
  });

  it('repeats a POST that found nobody listening, and says that nothing was sent', async () => {
    await using api = client(await unusedUrl());

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'no', attempts: 3, isRetryable: true },
    });
    expect(!result.ok && result.error.publicMessage).toBe(
      'The thing service could not be reached. Try again in 30 s; if it still fails, tell the operator of this server.',
    );
  });

  it.each([400, 403, 404, 409, 501])('does not repeat a GET that was answered with %i', async (status) => {
    await using upstream = await startUpstream((_, response) => problem(response, status, 'no'));
    await using api = client(upstream.url);

    await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(1);
  });

  it('stops at once when Retry-After is longer than it would wait, and reports it', async () => {
    await using upstream = await startUpstream((_, response) =>
      json(response, 503, {}, { 'retry-after': '3600' }),
    );
    await using api = client(upstream.url);

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(1);
    expect(result).toMatchObject({ ok: false, error: { code: 'server_error', retryAfterMs: 3_600_000 } });
    expect(!result.ok && result.error.publicMessage).toBe('The thing service failed. Try again in 60 min.');
  });

  it('stops when Retry-After fits into the deadline but is longer than the policy allows', async () => {
    await using upstream = await startUpstream((_, response) =>
      json(response, 429, {}, { 'retry-after': '21' }),
    );
    await using api = client(upstream.url);

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(1);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'throttled', retryAfterMs: 21_000, isRetryable: true },
    });
  });

  it('waits as long as Retry-After says, and no shorter', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 429 : 200, { id: 'a' }, count === 1 ? { 'retry-after': '7' } : {}),
    );
    const clock = createTestClock();
    const retried = Promise.withResolvers<ClientEvent>();
    await using api = client(upstream.url, {
      clock,
      on: (event) => event.type === 'retry' && retried.resolve(event),
    });

    const pending = api.call(readThing, { params: { id: 'a' } }, { signal });
    expect(await retried.promise).toMatchObject({ delayMs: 7_000, code: 'throttled', attempt: 2 });
    clock.advance(6_999);
    expect(clock.pending()).toContain(1);
    clock.advance(1);

    expect(await pending).toMatchObject({ ok: true, attempts: 2 });
  });

  it('does not wait for what the deadline leaves no time for', async () => {
    await using upstream = await startUpstream((_, response) =>
      json(response, 503, {}, { 'retry-after': '15' }),
    );
    const clock = createTestClock();
    await using api = client(upstream.url, { clock });

    const result = await api.call(
      readThing,
      { params: { id: 'a' } },
      { signal, deadlineAt: clock.now() + 15_000 },
    );

    expect(upstream.received).toHaveLength(1);
    expect(result).toMatchObject({ ok: false, error: { code: 'server_error', retryAfterMs: 15_000 } });
  });

  it('gives up after the last retry with the last response', async () => {
    await using upstream = await startUpstream((_, response) =>
      problem(response, 502, 'upstream 10.1.2.3 died'),
    );
    await using api = client(upstream.url);

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(3);
    expect(result).toMatchObject({
      ok: false,
      error: {
        code: 'server_error',
        status: 502,
        attempts: 3,
        problem: { detail: 'upstream 10.1.2.3 died' },
      },
    });
    expect(!result.ok && result.error.publicMessage).not.toContain('10.1.2.3');
  });

  it('says that an earlier attempt may have succeeded when a repeated one meets a conflict', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      count === 1 ? response.destroy() : problem(response, 409, 'already exists'),
    );
    await using api = client(upstream.url);

    const result = await api.call(createThingOnce, { body: { id: 'a' } }, { signal });

    expect(result).toMatchObject({ ok: false, error: { code: 'conflict', sent: 'maybe', attempts: 2 } });
    expect(!result.ok && result.error.publicMessage).toContain('may have been carried out');
  });

  it('repeats a GET whose body was cut short', async () => {
    await using upstream = await startUpstream((_, response, count) => {
      if (count > 1) {
        return json(response, 200, { id: 'a' });
      }
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"id":', () => response.destroy());
    });
    await using api = client(upstream.url);

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(result).toMatchObject({ ok: true, attempts: 2 });
  });
});

/** An address where nothing listens: a port that was free a moment ago. */
async function unusedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
