import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import {
  createBearerSource,
  createClient,
  createClientCredentials,
  createTokenExchange,
  defineEndpoint,
  type CallOptions,
  type TokenSource,
} from '../src/index.ts';
import { createScriptedUpstream, createTestClock, reply } from '../src/testing/index.ts';
import { createThing, readThing, signal } from './things.ts';
import { json, startUpstream, type Handler } from './upstream.ts';

const name = 'thing service';
const read = { params: { id: 'a' } };
const policy = { retry: { maxRetries: 0 } };
const sourceOf = (value: string, subject?: string): TokenSource => ({
  get: async () => ({ value }),
  invalidate: () => {},
  subject,
});
/** A JWT of these claims, which nobody here verifies. */
const jwt = (claims: object) =>
  ['{"alg":"none"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

/** Sends away whoever has `alice` somewhere in the headers, for a minute. */
const refusingAlice: Handler = ({ headers }, response) => {
  const text =
    JSON.stringify(headers) + Buffer.from(headers.authorization?.split('.')[1] ?? '', 'base64url').toString();
  json(response, text.includes('alice') ? 429 : 200, { id: 'a' }, { 'retry-after': '60' });
};

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

  type Caller = (who: 'alice' | 'bob', turn: number) => Partial<CallOptions>;
  it.each<[string, Caller]>([
    ['a bearer source of each call', (who) => ({ token: createBearerSource(() => who) })],
    ['a promised token', (who) => ({ token: createBearerSource(async () => who) })],
    [
      'a JWT that is renewed',
      (who, turn) => ({
        token: createBearerSource(() => jwt({ iss: 'https://idp.example', sub: who, jti: turn })),
      }),
    ],
    [
      'a JWT whose subject is a number',
      (who, turn) => ({
        token: createBearerSource(() =>
          jwt({
            iss: 'https://idp.example',
            sub: who === 'alice' ? 1 : 2,
            client_id: 'app',
            name: who,
            turn,
          }),
        ),
      }),
    ],
    [
      'a JWT of a machine',
      (who, turn) => ({
        token: createBearerSource(() => jwt({ iss: 'https://idp.example', azp: who, iat: turn })),
      }),
    ],
    ['a user in a header', (who) => ({ headers: { 'X-Forwarded-User': who } })],
    [
      'a user beside a token of all',
      (who) => ({ token: sourceOf('gateway'), headers: { 'x-user-id': who } }),
    ],
    ['a tenant in a header', (who) => ({ headers: { 'X-Tenant': who } })],
    ['an API key', (who) => ({ headers: { 'x-api-key': who } })],
    ['a cookie', (who) => ({ headers: { Cookie: `session=${who}` } })],
    ['an Authorization header', (who) => ({ headers: { authorization: `Basic ${who}` } })],
    [
      'a user and other headers that change',
      (who, turn) => ({
        headers: { 'X-User': who, 'x-request-id': String(turn), traceparent: String(turn) },
      }),
    ],
    ['a name', (who) => ({ caller: who, headers: { 'x-for': who } })],
  ])('knows its caller again by %s', async (_, caller) => {
    await using upstream = await startUpstream(refusingAlice);
    await using api = createClient({ name, baseUrl: upstream.url });
    const callAs = (who: 'alice' | 'bob', turn: number) =>
      api.call(readThing, read, { signal, ...caller(who, turn) });

    expect(await callAs('alice', 1)).toMatchObject({ error: { code: 'throttled', sent: 'yes' } });
    expect(await callAs('alice', 2)).toMatchObject({ error: { code: 'throttled', sent: 'no' } });
    expect(await callAs('bob', 3)).toMatchObject({ ok: true });
    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
    expect(upstream.received).toHaveLength(3);
  });

  it("knows its caller again by the present one's token in the client's own source", async () => {
    await using upstream = await startUpstream(refusingAlice);
    let present = 'alice';
    await using api = createClient({
      name,
      baseUrl: upstream.url,
      token: createBearerSource(() => present),
    });

    await api.call(readThing, read, { signal });
    expect(await api.call(readThing, read, { signal })).toMatchObject({ error: { sent: 'no' } });
    present = 'bob';
    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
  });

  it.each(['User-Agent', 'X-Request-Id', 'Accept-Language'])(
    'does not take %s for a caller',
    async (header) => {
      await using upstream = await startUpstream((_, response) =>
        json(response, 429, {}, { 'retry-after': '60' }),
      );
      await using api = createClient({ name, baseUrl: upstream.url });

      await api.call(readThing, read, { signal, headers: { [header]: 'first' } });

      expect(await api.call(readThing, read, { signal, headers: { [header]: 'second' } })).toMatchObject({
        error: { code: 'throttled', sent: 'no' },
      });
    },
  );

  it("holds an exchanged token's caller back beyond the renewal of both tokens", async () => {
    let issued = 0;
    await using provider = await startUpstream((request, response) => {
      issued += 1;
      const subject = new URLSearchParams(request.body).get('subject_token') ?? '';
      const [, claims = ''] = subject.split('.');
      json(response, 200, {
        access_token: `${issued}-${JSON.parse(Buffer.from(claims, 'base64url').toString()).sub}`,
        token_type: 'Bearer',
        expires_in: 1,
      });
    });
    await using upstream = await startUpstream(refusingAlice);
    const clock = createTestClock();
    const tokens = createTokenExchange({
      tokenUrl: `${provider.url}/token`,
      clientId: 'gateway',
      clientSecret: () => 's',
      clock,
    });
    await using api = createClient({ name, baseUrl: upstream.url, clock });
    const callAs = (sub: string, jti: number) =>
      api.call(readThing, read, {
        signal,
        token: tokens.forSubject(jwt({ iss: 'https://idp.example', sub, jti })),
      });

    expect(await callAs('alice', 1)).toMatchObject({ error: { sent: 'yes' } });
    clock.advance(5_000);
    expect(await callAs('alice', 2)).toMatchObject({ error: { code: 'throttled', sent: 'no' } });
    expect(await callAs('bob', 3)).toMatchObject({ ok: true });
    expect(issued).toBe(3);
  });

  it("holds the client's own token back beyond its renewal", async () => {
    let issued = 0;
    await using provider = await startUpstream((_, response) =>
      json(response, 200, { access_token: `alice-${(issued += 1)}`, token_type: 'Bearer', expires_in: 1 }),
    );
    await using upstream = await startUpstream(refusingAlice);
    const clock = createTestClock();
    const token = createClientCredentials({
      tokenUrl: `${provider.url}/token`,
      clientId: 'gateway',
      clientSecret: () => 's',
      clock,
    });
    await using api = createClient({ name, baseUrl: upstream.url, token, clock });

    await api.call(readThing, read, { signal });
    clock.advance(5_000);
    expect(await api.call(readThing, read, { signal })).toMatchObject({ error: { sent: 'no' } });
    expect([upstream.received.length, issued]).toEqual([1, 2]);
  });
});

describe('a 503 with Retry-After', () => {
  it('holds back everybody, because it is about the server, and no other endpoint', async () => {
    const clock = createTestClock();
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 503 : 200, { id: 'a' }, count === 1 ? { 'retry-after': '30' } : {}),
    );
    await using api = createClient({ name, baseUrl: upstream.url, policy, clock });
    const callAs = (who: string | undefined) => api.call(readThing, read, { signal, caller: who });

    expect(await callAs('alice')).toMatchObject({ error: { code: 'server_error', retryAfterMs: 30_000 } });
    for (const who of ['alice', 'bob', undefined]) {
      expect(await callAs(who)).toMatchObject({
        error: { code: 'throttled', sent: 'no', retryAfterMs: 30_000 },
      });
    }
    expect(await api.call(createThing, { body: { id: 'a' } }, { signal })).toMatchObject({ ok: true });
    clock.advance(30_000);
    expect(await callAs('bob')).toMatchObject({ ok: true });
  });

  it('without it holds back nobody', async () => {
    await using upstream = await startUpstream((_, response, count) =>
      json(response, count === 1 ? 503 : 200, { id: 'a' }),
    );
    await using api = createClient({ name, baseUrl: upstream.url, policy });

    await api.call(readThing, read, { signal });
    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
  });
});

describe('a caller whose calls the upstream chokes on', () => {
  it('is left alone, and nobody else', async () => {
    await using upstream = await startUpstream(({ url }, response) =>
      json(response, url.endsWith('/poison') ? 500 : 200, { id: 'a' }),
    );
    await using api = createClient({ name, baseUrl: upstream.url, policy });
    const callAs = (who: string, id: string) =>
      api.call(readThing, { params: { id } }, { signal, token: createBearerSource(() => who) });

    for (let i = 0; i < 20; i++) {
      await callAs('alice', 'poison');
    }

    expect(upstream.received).toHaveLength(5);
    expect(await callAs('alice', 'good')).toMatchObject({ error: { code: 'circuit_open', sent: 'no' } });
    expect(await callAs('bob', 'good')).toMatchObject({ ok: true });
    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
    expect(api.health()['things.read']).toMatchObject({ state: 'closed', callersHeldBack: 1 });
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

  it.each([
    'Authorization',
    'authorization',
    'Proxy-Authorization',
    'Cookie',
    'X-Api-Key',
    'api-key',
    'apikey',
    'X-Auth-Token',
    'Private-Token',
    'X-Amz-Security-Token',
    'Ocp-Apim-Subscription-Key',
    'X-Client-Secret',
    'X-Session',
    'DPoP',
    'X-Goog-Iap-Jwt-Assertion',
  ])('in the header %s are not sent over http to another host either', async (header) => {
    const upstream = createScriptedUpstream(reply(200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: cleartext, dispatcher: upstream.dispatcher });

    const result = await api.call(readThing, read, { signal, headers: { [header]: 'planted' } });

    expect(result).toMatchObject({ ok: false, error: { code: 'invalid_request', sent: 'no' } });
    expect(!result.ok && result.error.message).toContain(header.toLowerCase());
    expect(JSON.stringify(result)).not.toContain('planted');
    expect(upstream.requests).toEqual([]);
  });

  it.each(['access_token', 'api_key', 'apiKey', 'client_secret', 'X-Amz-Signature'])(
    'in the query as %s are not sent over http to another host either',
    async (parameter) => {
      const upstream = createScriptedUpstream(reply(200, { id: 'a' }));
      await using api = createClient({ name, baseUrl: cleartext, dispatcher: upstream.dispatcher });
      const search = defineEndpoint({
        id: 'things.search',
        method: 'GET',
        path: '/things',
        query: z.record(z.string(), z.string()),
        response: z.unknown(),
      });

      expect(await api.call(search, { query: { [parameter]: 'planted' } }, { signal })).toMatchObject({
        error: { code: 'invalid_request', sent: 'no' },
      });
      expect(await api.call(search, { query: { page_token: 'next' } }, { signal })).toMatchObject({
        ok: true,
      });
      expect(upstream.requests).toHaveLength(1);
    },
  );

  it('are told from what is none', async () => {
    const upstream = createScriptedUpstream(reply(200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: cleartext, dispatcher: upstream.dispatcher });
    const headers = {
      'x-request-id': '1',
      'idempotency-key': '2',
      'accept-language': 'de',
      'x-user': 'alice',
    };

    expect(await api.call(readThing, read, { signal, headers })).toMatchObject({ ok: true });
  });

  it('in a header are sent to this machine, over https, and where somebody said so', async () => {
    const upstream = createScriptedUpstream(reply(200, { id: 'a' }));
    const headers = { authorization: 'Basic planted' };
    for (const options of [
      { baseUrl: 'http://127.0.0.1' },
      { baseUrl: 'https://things.example' },
      { baseUrl: cleartext, allowCleartextCredentials: true },
    ]) {
      await using api = createClient({ name, ...options, dispatcher: upstream.dispatcher });
      expect(await api.call(readThing, read, { signal, headers })).toMatchObject({ ok: true });
    }
    expect(upstream.requests.map((request) => request.headers['authorization'])).toEqual(
      Array(3).fill('Basic planted'),
    );
  });

  it('do not follow a redirect', async () => {
    await using elsewhere = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using upstream = await startUpstream((_, response) =>
      json(response, 307, {}, { location: `${elsewhere.url}/things/a` }),
    );
    await using api = createClient({ name, baseUrl: upstream.url, token: sourceOf('own') });

    expect(await api.call(readThing, read, { signal })).toMatchObject({
      error: { code: 'invalid_response', status: 307 },
    });
    expect(elsewhere.received).toEqual([]);
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

  it('may stand in no URL', () => {
    const url = 'https://user:planted@things.example';
    const signIn = { clientId: 'a', clientSecret: () => 's' };
    for (const make of [
      () => createClient({ name, baseUrl: url }),
      () => createClientCredentials({ ...signIn, tokenUrl: url }),
      () => createClientCredentials({ ...signIn, issuer: url }),
    ]) {
      expect(make).toThrow(/^(?!.*planted).*must not hold credentials/);
    }
  });

  it('are sent over http where somebody said so', async () => {
    const allowed = { allowCleartextCredentials: true };
    await using api = createClient({ name, baseUrl: cleartext, token: sourceOf('own'), ...allowed });
    expect(api.health()).toEqual({});
    const signIn = { clientId: 'a', clientSecret: () => 's', tokenUrl: cleartext };
    expect(() => createClientCredentials({ ...signIn, ...allowed })).not.toThrow();
  });
});

describe('a connection', () => {
  /** Calls until this many connections were seen, or so often. */
  async function connectionsOf(connectionTtlMs: number, wanted: number, maxCalls: number) {
    const sockets = new Set<unknown>();
    await using upstream = await startUpstream((_request, response) => {
      sockets.add(response.socket);
      json(response, 200, { id: 'a' });
    });
    await using api = createClient({ name, baseUrl: upstream.url, connectionTtlMs });
    for (let calls = 0; calls < maxCalls && sockets.size < wanted; calls++) {
      expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
    }
    return sockets.size;
  }

  it('is closed when it is old, so that a name is looked up again', async () => {
    expect(await connectionsOf(1, 3, 10_000)).toBe(3);
  });

  it('serves until then', async () => {
    // Two, because undici may find the first not yet ready when the next call comes right behind.
    expect(await connectionsOf(60_000, 3, 50)).toBeLessThanOrEqual(2);
  });
});
