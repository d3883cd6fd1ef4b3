import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';

import { createClient, type ClientOptions } from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { createThing, readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const client = (baseUrl: string, options: Partial<ClientOptions> = {}) =>
  createClient({ name: 'thing service', baseUrl, random: () => 0, ...options });

const read = { params: { id: 'a' } };

describe('limits', () => {
  it('ends an attempt whose body only drips', async () => {
    const dripping = Promise.withResolvers<void>();
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = () => response.write(' ', () => setImmediate(() => response.writable && drip()));
      drip();
      dripping.resolve();
    });
    const clock = createTestClock();
    await using api = client(upstream.url, { clock, policy: { retry: { maxRetries: 0 } } });

    const pending = api.call(readThing, read, { signal });
    await dripping.promise;
    clock.advance(10_000);

    expect(await pending).toMatchObject({ ok: false, error: { code: 'timeout', attempts: 1 } });
    expect(clock.pending()).toEqual([]);
  });

  it('gives every attempt a timer of its own and the whole call one deadline', async () => {
    const clock = createTestClock();
    await using upstream = await startUpstream(() => {
      // Let the attempt hang until its own timer ends it.
      clock.advance(10_000);
    });
    await using api = client(upstream.url, { clock, policy: { retry: { maxRetries: 9 } } });

    const pending = api.call(readThing, read, { signal });
    // Waits of zero length between the attempts.
    await expect.poll(() => (clock.advance(0), upstream.received.length)).toBe(3);

    expect(await pending).toMatchObject({ ok: false, error: { code: 'deadline_exceeded', attempts: 3 } });
    expect(clock.pending()).toEqual([]);
  });

  it('ends at its deadline even when a token source answers to nothing', async () => {
    const clock = createTestClock();
    const token = { get: () => new Promise<never>(() => {}), invalidate() {} };
    await using api = client('https://things.example', { clock, token });

    expect(await clock.settle(api.call(readThing, read, { signal }))).toMatchObject({
      ok: false,
      error: { code: 'deadline_exceeded', sent: 'no', attempts: 0 },
    });
    expect(clock.monotonicNow()).toBe(30_000);
    expect(clock.pending()).toEqual([]);
  });

  it('inherits an earlier deadline from its caller, without blaming the upstream for it', async () => {
    const clock = createTestClock();
    await using upstream = await startUpstream(() => clock.advance(250));
    await using api = client(upstream.url, { clock });

    const result = await api.call(readThing, read, { signal, deadlineAt: clock.now() + 250 });

    expect(result).toMatchObject({ ok: false, error: { code: 'deadline_exceeded' } });
    expect(api.health()['things.read']?.consecutiveFailures).toBe(0);
  });

  it('sends nothing when the deadline has passed or the signal has aborted', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = client(upstream.url);

    const late = await api.call(createThing, { body: { id: 'a' } }, { signal, deadlineAt: Date.now() - 1 });
    const cancelled = await api.call(createThing, { body: { id: 'a' } }, { signal: AbortSignal.abort() });

    expect(late).toMatchObject({ ok: false, error: { code: 'deadline_exceeded', sent: 'no', attempts: 0 } });
    expect(cancelled).toMatchObject({ ok: false, error: { code: 'cancelled', sent: 'no', attempts: 0 } });
    expect(upstream.received).toHaveLength(0);
  });

  it.each(['declared', 'undeclared'])('refuses a 10 MB body of %s length', async (length) => {
    const megabyte = Buffer.alloc(1024 * 1024, ' ');
    const closed = Promise.withResolvers<void>();
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(
        200,
        length === 'declared' ? { 'content-length': String(10 * megabyte.length) } : {},
      );
      response.on('close', closed.resolve);
      for (let i = 0; i < 10; i++) {
        response.write(megabyte);
      }
      response.end();
    });
    await using api = client(upstream.url);

    const result = await api.call(readThing, read, { signal });

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'response_too_large', status: 200, attempts: 1 },
    });
    await closed.promise;
  });

  it('lets a cancellation reach the socket', async () => {
    const caller = new AbortController();
    const closed = Promise.withResolvers<void>();
    await using upstream = await startUpstream((_, response) => {
      response.on('close', closed.resolve);
      caller.abort();
    });
    await using api = client(upstream.url);

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal: caller.signal });

    expect(result).toMatchObject({ ok: false, error: { code: 'cancelled', sent: 'maybe', attempts: 1 } });
    await closed.promise;
  });

  it('lets a cancellation end the wait between attempts', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 503, {}));
    const caller = new AbortController();
    const clock = createTestClock();
    await using api = client(upstream.url, {
      clock,
      random: () => 0.5,
      on: (event) => event.type === 'retry' && queueMicrotask(() => caller.abort()),
    });

    const result = await api.call(readThing, read, { signal: caller.signal });

    expect(result).toMatchObject({ ok: false, error: { code: 'cancelled', attempts: 1 } });
    expect(clock.pending()).toEqual([]);
  });

  it('opens no more than 32 connections, and knows that a request still in the queue did not leave', async () => {
    let connections = 0;
    const arrived = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => ++connections === 32 && arrived.resolve());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const caller = new AbortController();

    const api = client(`http://127.0.0.1:${port}`);
    const pending = Array.from({ length: 40 }, () =>
      api.call(createThing, { body: { id: 'a' } }, { signal: caller.signal }),
    );
    await arrived.promise;
    caller.abort();
    const results = await Promise.all(pending);
    await api.close();
    server.close();

    const sent = results.map((result) => !result.ok && result.error.sent);
    expect(sent.filter((value) => value === 'maybe')).toHaveLength(32);
    expect(sent.filter((value) => value === 'no')).toHaveLength(8);
    expect(connections).toBe(32);
  });

  it('gives up on a connection whose handshake hangs, and knows that nothing left', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await using api = client(`https://127.0.0.1:${port}`, {
      connectTimeoutMs: 1,
      policy: { retry: { maxRetries: 0 } },
    });

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });
    silent.close();

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'no', cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } },
    });
  });

  it('never sends what was cancelled in the queue of a given dispatcher', async () => {
    const arrived = Promise.withResolvers<() => void>();
    await using upstream = await startUpstream((_, response, count) => {
      if (count === 1) {
        arrived.resolve(() => json(response, 200, { id: 'a' }));
      } else {
        json(response, 200, { id: 'a' });
      }
    });
    const dispatcher = new Agent({ connections: 1 });
    await using api = client(upstream.url, { dispatcher });
    const caller = new AbortController();

    const first = api.call(readThing, read, { signal });
    const answer = await arrived.promise;
    const queued = api.call(createThing, { body: { id: 'a' } }, { signal: caller.signal });
    caller.abort();
    expect(await queued).toMatchObject({ ok: false, error: { code: 'cancelled', sent: 'no' } });
    answer();
    await first;
    await api.call(readThing, read, { signal });

    expect(upstream.received.map(({ method }) => method)).toEqual(['GET', 'GET']);
    await dispatcher.close();
  });

  it('does not follow a redirect', async () => {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(302, { location: '/elsewhere' });
      response.end();
    });
    await using api = client(upstream.url);

    const result = await api.call(readThing, read, { signal });

    expect(upstream.received.map(({ url }) => url)).toEqual(['/things/a']);
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid_response', status: 302 } });
  });
});
