import { describe, expect, it } from 'vitest';

import {
  createBearerSource,
  createClient,
  createTokenExchange,
  type TokenExchangeOptions,
} from '../src/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream, type Handler } from './upstream.ts';

/** Answers a subject token `s` with `for-s`. */
const exchanging: Handler = (request, response) => {
  const subject = new URLSearchParams(request.body).get('subject_token');
  json(response, 200, {
    access_token: `for-${subject}`,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 300,
  });
};

const exchange = (url: string, options: Partial<TokenExchangeOptions> = {}) =>
  createTokenExchange({ tokenUrl: `${url}/token`, clientId: 'gateway', clientSecret: () => 's', ...options });

describe('token exchange', () => {
  it('asks as RFC 8693 §2.1 says', async () => {
    await using provider = await startUpstream(exchanging);
    const tokens = exchange(provider.url, { audience: 'things', scope: 'things:read' });

    expect(await tokens.forSubject('alice').get({ signal })).toEqual({ value: 'for-alice' });

    expect(Object.fromEntries(new URLSearchParams(provider.received[0]?.body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'alice',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'things',
      scope: 'things:read',
    });
  });

  it('sends every call with the token of its own caller, each exchanged once', async () => {
    await using provider = await startUpstream(exchanging);
    await using upstream = await startUpstream((request, response) =>
      json(response, 200, { id: request.headers.authorization }),
    );
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: createBearerSource(() => 'own'),
    });
    const tokens = exchange(provider.url);
    const callers = ['alice', 'bob', 'alice', 'bob', 'alice'];

    const results = await Promise.all([
      ...callers.map((caller) =>
        api.call(readThing, { params: { id: 'a' } }, { signal, token: tokens.forSubject(caller) }),
      ),
      api.call(readThing, { params: { id: 'a' } }, { signal }),
    ]);

    expect(results.map((result) => result.ok && result.data.id)).toEqual([
      ...callers.map((caller) => `Bearer for-${caller}`),
      'Bearer own',
    ]);
    expect(provider.received).toHaveLength(2);
  });

  it('does not let the refusal of one subject concern another, nor trip a circuit', async () => {
    await using provider = await startUpstream((request, response, count) =>
      request.body.includes('subject_token=mallory')
        ? json(response, 400, { error: 'invalid_grant' })
        : exchanging(request, response, count),
    );
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name: 'thing service', baseUrl: upstream.url });
    const tokens = exchange(provider.url);
    const callAs = (caller: string) =>
      api.call(readThing, { params: { id: 'a' } }, { signal, token: tokens.forSubject(caller) });

    for (let i = 0; i < 6; i++) {
      expect(await callAs('mallory')).toMatchObject({
        ok: false,
        error: { code: 'unauthenticated', sent: 'no', isRetryable: false },
      });
    }

    expect(await callAs('alice')).toMatchObject({ ok: true });
    expect(api.health()['things.read']).toMatchObject({ state: 'closed', consecutiveFailures: 0 });
    expect(provider.received).toHaveLength(2);
  });

  it('keeps no more callers than it may: the one not seen for longest makes room', async () => {
    await using provider = await startUpstream(exchanging);
    const tokens = exchange(provider.url, { maxSubjects: 2 });

    for (const subject of ['a', 'b', 'a', 'c', 'a', 'b']) {
      await tokens.forSubject(subject).get({ signal });
    }

    const asked = provider.received.map(({ body }) => new URLSearchParams(body).get('subject_token'));
    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });

  it.each([
    ['a token for something other than access', { token_type: 'N_A' }],
    ['a token that breaks out of its header', { token_type: 'Bearer', access_token: 'x\r\ny' }],
  ])('refuses %s', async (_, answer) => {
    await using provider = await startUpstream((_, response) =>
      json(response, 200, { access_token: 'x', ...answer }),
    );

    await expect(exchange(provider.url).forSubject('a').get({ signal })).rejects.toMatchObject({
      code: 'invalid_response',
    });
  });

  it('refuses an empty subject token and a cache without room', () => {
    const url = 'http://127.0.0.1:1';
    expect(() => exchange(url).forSubject('')).toThrow('subjectToken must not be empty');
    expect(() => exchange(url, { maxSubjects: 0 })).toThrow('maxSubjects must be a whole number from 1');
  });
});

describe('a bearer token from a function', () => {
  it('is read for every attempt, and once more after a 401', async () => {
    const files = ['old', 'new', 'new'];
    await using upstream = await startUpstream((request, response) =>
      request.headers.authorization === 'Bearer new'
        ? json(response, 200, { id: 'a' })
        : json(response, 401, {}),
    );
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: createBearerSource(() => files.shift() ?? ''),
    });

    const first = await api.call(readThing, { params: { id: 'a' } }, { signal });
    const second = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect([first, second]).toMatchObject([
      { ok: true, attempts: 2 },
      { ok: true, attempts: 1 },
    ]);
  });

  it('is waited for no longer than the caller waits', async () => {
    const caller = new AbortController();
    const given = createBearerSource(() => new Promise(() => {})).get({ signal: caller.signal });

    caller.abort();

    await expect(given).rejects.toThrow('aborted');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no such file'))],
    ['gives what cannot stand in a header', () => 'secret\r\nx: y'],
  ])('sends nothing when the function %s', async (_, read) => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({
      name: 'thing service',
      baseUrl: upstream.url,
      token: createBearerSource(read),
    });

    const result = await api.call(readThing, { params: { id: 'a' } }, { signal });

    expect(result).toMatchObject({ ok: false, error: { code: 'unauthenticated', sent: 'no' } });
    expect(String(!result.ok && (result.error.cause as Error).message)).not.toContain('secret');
    expect(upstream.received).toHaveLength(0);
  });
});
