import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { createClient, createClientCredentials, type TokenSource } from '../src/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const name = 'thing service';
const read = { params: { id: 'a' } };
const sourceOf = (value: string, subject?: string): TokenSource => ({
  get: async () => ({ value }),
  invalidate: () => {},
  subject,
});

describe('a 429', () => {
  it('holds back the caller that it was said to, and nobody else', async () => {
    await using upstream = await startUpstream((request, response) => {
      const isAlice = request.headers.authorization === 'Bearer alice';
      response.setHeader('retry-after', '60');
      json(response, isAlice ? 429 : 200, { id: 'a' });
    });
    await using api = createClient({ name, baseUrl: upstream.url });
    const callAs = (token: TokenSource | undefined) => api.call(readThing, read, { signal, token });
    const alice = sourceOf('alice', 'alice');

    expect(await callAs(alice)).toMatchObject({ error: { code: 'throttled', sent: 'yes' } });
    expect(await callAs(sourceOf('alice', 'alice'))).toMatchObject({
      error: { code: 'throttled', sent: 'no' },
    });
    for (const other of [sourceOf('bob', 'bob'), sourceOf('carol'), undefined]) {
      expect(await callAs(other)).toMatchObject({ ok: true });
    }
  });

  it('to the token of the client holds back all that use it', async () => {
    await using upstream = await startUpstream((request, response) => {
      response.setHeader('retry-after', '60');
      json(response, request.headers.authorization === 'Bearer own' ? 429 : 200, { id: 'a' });
    });
    await using api = createClient({ name, baseUrl: upstream.url, token: sourceOf('own') });

    await api.call(readThing, read, { signal });
    expect(await api.call(readThing, read, { signal })).toMatchObject({
      error: { code: 'throttled', sent: 'no' },
    });
    expect(await api.call(readThing, read, { signal, token: sourceOf('bob') })).toMatchObject({ ok: true });
  });
});

describe('credentials', () => {
  const cleartext = 'http://things.example';

  it('are not sent over http to another host', async () => {
    const token = sourceOf('own');
    expect(() => createClient({ name, baseUrl: cleartext, token })).toThrow(
      'baseUrl must use https with a token',
    );
    await using api = createClient({ name, baseUrl: cleartext });
    await expect(api.call(readThing, read, { signal, token })).rejects.toThrow(
      'token needs a baseUrl with https',
    );
    const signIn = { clientId: 'a', clientSecret: () => 's' };
    expect(() => createClientCredentials({ ...signIn, tokenUrl: cleartext })).toThrow(
      'tokenUrl must use https',
    );
    expect(() => createClientCredentials({ ...signIn, issuer: cleartext })).toThrow('issuer must use https');
  });

  it.each(['http://127.0.0.1', 'http://localhost', 'http://[::1]', 'https://things.example'])(
    'may be sent to %s',
    async (baseUrl) => {
      await using api = createClient({ name, baseUrl, token: sourceOf('own') });
      expect(api.health()).toEqual({});
    },
  );

  it.each(['http://localhost.things.example', 'http://127.0.0.1.things.example', 'http://0.0.0.0'])(
    'are not sent to %s, which only looks like this machine',
    (baseUrl) => {
      expect(() => createClient({ name, baseUrl, token: sourceOf('own') })).toThrow('baseUrl must use https');
    },
  );

  it('are sent over http where somebody said so', async () => {
    const allowed = { allowCleartextCredentials: true };
    await using api = createClient({ name, baseUrl: cleartext, token: sourceOf('own'), ...allowed });
    expect(api.health()).toEqual({});
    const signIn = { clientId: 'a', clientSecret: () => 's', tokenUrl: cleartext };
    expect(() => createClientCredentials({ ...signIn, ...allowed })).not.toThrow();
  });
});

describe('a connection', () => {
  it.each([
    ['is closed when it is old, so that a name is looked up again', 50, 2],
    ['serves until then', 60_000, 1],
  ])('%s', async (_, connectionTtlMs, atLeast) => {
    const sockets = new Set<unknown>();
    await using upstream = await startUpstream((_request, response) => {
      sockets.add(response.socket);
      json(response, 200, { id: 'a' });
    });
    await using api = createClient({ name, baseUrl: upstream.url, connectionTtlMs });

    for (let i = 0; i < 8; i++) {
      expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
      await sleep(20);
    }
    expect(atLeast === 1 ? sockets.size === 1 : sockets.size >= atLeast).toBe(true);
  });
});
