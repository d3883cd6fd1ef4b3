import { describe, expect, it } from 'vitest';

import {
  createBearerSource,
  createClientCredentials,
  createClient,
  type ClientCredentialsOptions,
  type TokenSource,
} from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { createThing, readThing, signal } from './things.ts';
import { json, problem, startUpstream, type Handler } from './upstream.ts';

const issuing: Handler = (_, response, count) =>
  json(response, 200, { access_token: `token-${count}`, token_type: 'Bearer', expires_in: 300 });

const source = (url: string, options: Partial<ClientCredentialsOptions> = {}) =>
  createClientCredentials({
    tokenUrl: `${url}/token`,
    clientId: 'deployer',
    clientSecret: () => 's',
    ...options,
  });

const valueOf = async (tokens: TokenSource) => (await tokens.get({ signal })).value;

describe('client credentials', () => {
  it('asks as RFC 6749 §4.4 and RFC 8707 say, with both halves of the credentials form-encoded', async () => {
    await using provider = await startUpstream(issuing);
    const tokens = source(provider.url, {
      clientId: 'a:b',
      clientSecret: () => 'p w/+%',
      scope: 'read write',
      resource: 'https://api.example/',
    });

    expect(await valueOf(tokens)).toBe('token-1');

    const [request] = provider.received;
    expect(request).toMatchObject({ method: 'POST', url: '/token' });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      resource: 'https://api.example/',
    });
    const credentials = Buffer.from(request?.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64');
    expect(credentials.toString()).toBe('a%3Ab:p+w%2F%2B%25');
  });

  // 0 stands for none in some of those who say something of a token that does not end.
  it.each([null, undefined, '300', 300, 0, '0'])('take a life of %j', async (lifeSeconds) => {
    const clock = createTestClock();
    await using provider = await startUpstream((_, response, count) =>
      json(response, 200, { access_token: `token-${count}`, token_type: 'bearer', expires_in: lifeSeconds }),
    );
    const tokens = source(provider.url, { clock });
    expect(await valueOf(tokens)).toBe('token-1');
    clock.advance(60_000);
    expect(await valueOf(tokens)).toBe('token-1');
    clock.advance(300_000);
    expect(await valueOf(tokens)).toBe('token-2');
  });

  it('shares one request among 50 concurrent cold calls', async () => {
    await using provider = await startUpstream(issuing);
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: source(provider.url),
    });

    const results = await Promise.all(
      Array.from({ length: 50 }, () => api.call(readThing, { params: { id: 'a' } }, { signal })),
    );

    expect(results.every((result) => result.ok)).toBe(true);
    expect(provider.received).toHaveLength(1);
    expect(new Set(upstream.received.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer token-1']),
    );
  });

  it('remembers a failure for 2 s instead of hammering the identity provider', async () => {
    await using provider = await startUpstream((request, response, count) =>
      count === 1 ? json(response, 503, {}) : issuing(request, response, count),
    );
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    await expect(valueOf(tokens)).rejects.toMatchObject({ code: 'server_error', isRetryable: true });
    await expect(valueOf(tokens)).rejects.toMatchObject({ code: 'server_error' });
    expect(provider.received).toHaveLength(1);
    clock.advance(2_000);
    expect(await valueOf(tokens)).toBe('token-2');
  });

  it('gives up on a silent identity provider after its own timeout', async () => {
    const clock = createTestClock();
    await using provider = await startUpstream(() => clock.advance(5_000));
    await expect(valueOf(source(provider.url, { clock }))).rejects.toMatchObject({ code: 'timeout' });
  });

  it('does not end the shared request when the first caller gives up', async () => {
    const asked = Promise.withResolvers<() => void>();
    await using provider = await startUpstream((request, response, count) =>
      asked.resolve(() => issuing(request, response, count)),
    );
    const tokens = source(provider.url);
    const first = new AbortController();

    const given = tokens.get({ signal: first.signal });
    const second = valueOf(tokens);
    const answer = await asked.promise;
    first.abort();
    await expect(given).rejects.toThrow('aborted');
    answer();

    expect(await second).toBe('token-1');
  });

  it.each([
    ['no token', { token_type: 'bearer' }],
    ['a token that breaks out of its header', { access_token: 'x\r\ny: z', token_type: 'bearer' }],
    ['another type of token', { access_token: 'x', token_type: 'DPoP' }],
  ])('refuses a response with %s', async (_, body) => {
    await using provider = await startUpstream((_, response) => json(response, 200, body));
    await expect(valueOf(source(provider.url))).rejects.toMatchObject({ code: 'invalid_response' });
  });

  it('does not drop the current token for a late 401 of an older one', async () => {
    await using provider = await startUpstream(issuing);
    const tokens = source(provider.url);

    await valueOf(tokens);
    tokens.invalidate('token-1');
    expect(await valueOf(tokens)).toBe('token-2');
    tokens.invalidate('token-1');
    expect(await valueOf(tokens)).toBe('token-2');
    expect(provider.received).toHaveLength(2);
  });
});

describe('a client with a token source', () => {
  it('replays even a POST once with a fresh token after a 401', async () => {
    await using provider = await startUpstream(issuing);
    await using upstream = await startUpstream((request, response) =>
      request.headers.authorization === 'Bearer token-2'
        ? json(response, 201, { id: 'a' })
        : problem(response, 401, 'token revoked'),
    );
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: source(provider.url),
    });

    const result = await api.call(createThing, { body: { id: 'a' } }, { signal });

    expect(result).toMatchObject({ ok: true, attempts: 2 });
    expect(provider.received).toHaveLength(2);
  });

  it('does not ask for a token per call when the upstream takes none', async () => {
    await using provider = await startUpstream(issuing);
    await using upstream = await startUpstream((_, response) => problem(response, 401, 'wrong audience'));
    const clock = createTestClock();
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: source(provider.url, { clock }),
    });
    const call = () => api.call(readThing, { params: { id: 'a' } }, { signal });

    for (let i = 0; i < 10; i++) {
      await call();
    }
    expect(provider.received).toHaveLength(2);
    clock.advance(2_000);
    await call();
    expect(provider.received).toHaveLength(3);
  });

  it.each([
    ['of somebody else', () => createBearerSource(() => 'token')],
    ['that was just renewed', undefined],
  ])('does not send a token %s once more that was refused', async (_, bearer) => {
    await using provider = await startUpstream(issuing);
    await using upstream = await startUpstream((_, response) => problem(response, 401, 'no'));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: bearer?.() ?? source(provider.url, { clock: createTestClock() }),
    });
    const call = () => api.call(readThing, { params: { id: 'a' } }, { signal });
    // With a source of its own, the first call takes the one token that may be asked for now.
    const before = bearer === undefined ? (await call(), 2) : 0;

    expect(await call()).toMatchObject({ error: { code: 'unauthenticated', sent: 'yes', attempts: 1 } });
    expect(upstream.received).toHaveLength(before + 1);
  });

  it('does not replay a second 401', async () => {
    await using provider = await startUpstream(issuing);
    await using upstream = await startUpstream((_, response) => problem(response, 401, 'no'));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: source(provider.url),
    });

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(upstream.received).toHaveLength(2);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'unauthenticated', status: 401, isRetryable: false },
    });
  });

  it.each([
    [503, true],
    [401, false],
  ])(
    'sends nothing when the identity provider answers %i, and knows whether to try later: %s',
    async (status, isRetryable) => {
      await using provider = await startUpstream((_, response) =>
        json(response, status, { error: 'invalid_client' }),
      );
      await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
      await using api = createClient({
        name: 'thing service',
        baseUrl: upstream.url,
        token: source(provider.url),
      });

      const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

      expect(upstream.received).toHaveLength(0);
      expect(result).toMatchObject({
        ok: false,
        error: { code: 'unauthenticated', sent: 'no', attempts: 0, isRetryable },
      });
      expect(api.health()['things.read']).toEqual({ state: 'closed', consecutiveFailures: 0 });
    },
  );

  it('says how long the identity provider wants to be left alone', async () => {
    await using provider = await startUpstream((_, response) =>
      json(response, 503, {}, { 'retry-after': '12' }),
    );
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const token = source(provider.url);
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url, token });

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(!result.ok && result.error.publicMessage).toBe(
      'This server could not sign in to the thing service; nothing was sent. Try again in 12 s.',
    );
  });

  it('waits no longer for a token than its caller waits', async () => {
    const caller = new AbortController();
    await using provider = await startUpstream(() => caller.abort());
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: source(provider.url),
    });

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal: caller.signal });

    expect(result).toMatchObject({ ok: false, error: { code: 'cancelled', sent: 'no' } });
  });
});
