import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createIntrospectionVerifier, createTokenRouter, createTokenVerifier } from '../src/index.ts';
import type { IntrospectionVerifierOptions, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';

const NOW = Date.UTC(2026, 0, 15);
const ISSUER = 'https://idp.example.test';
const { signal } = new AbortController();
const good = {
  active: true,
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  client_id: 'editor',
  scope: 'deploy:write',
  exp: NOW / 1000 + 300,
};

interface Endpoint {
  readonly url: string;
  readonly asked: { readonly headers: IncomingHttpHeaders; readonly form: URLSearchParams }[];
  /** What it says of any token; a function of the form, to tell tokens apart. */
  reply: object | ((form: URLSearchParams) => object);
  status: number;
  /** Ends when the answer may go. */
  hold: ((form: URLSearchParams) => Promise<void>) | undefined;
  readonly close: () => Promise<void>;
}

async function startEndpoint(): Promise<Endpoint> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      endpoint.asked.push({ headers: request.headers, form });
      const reply = typeof endpoint.reply === 'function' ? endpoint.reply(form) : endpoint.reply;
      void (endpoint.hold?.(form) ?? Promise.resolve()).then(() =>
        response.writeHead(endpoint.status, { location: '/elsewhere' }).end(JSON.stringify(reply)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const endpoint: Endpoint = {
    url: `http://127.0.0.1:${port}/introspect`,
    asked: [],
    reply: good,
    status: 200,
    hold: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return endpoint;
}

let endpoint: Endpoint;
let opened: TokenVerifier[];
const clock = { now: NOW };
beforeEach(async () => {
  endpoint = await startEndpoint();
  opened = [];
  clock.now = NOW;
});
afterEach(async () => {
  for (const verifier of opened) {
    await verifier.close();
  }
  await endpoint.close();
});

function verifierWith(options: Partial<IntrospectionVerifierOptions> = {}): TokenVerifier {
  const verifier = createIntrospectionVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    introspectionUrl: endpoint.url,
    client: { id: 'mcp server', secret: 'päss:word' },
    now: () => clock.now,
    ...options,
  });
  opened.push(verifier);
  return verifier;
}

describe('createIntrospectionVerifier', () => {
  it('makes a principal of what the issuer says, signing in as RFC 6749 spells it', async () => {
    const principal = await verifierWith().verify('opaque-1', { signal });
    expect(principal).toEqual({
      id: `${ISSUER}#alice`,
      issuer: ISSUER,
      subject: 'alice',
      kind: 'user',
      clientId: 'editor',
      scopes: ['deploy:write'],
      expiresAt: NOW + 300_000,
    });
    const [request] = endpoint.asked;
    const [scheme, credentials = ''] = request?.headers.authorization?.split(' ') ?? [];
    expect([scheme, Buffer.from(credentials, 'base64').toString()]).toEqual([
      'Basic',
      'mcp+server:p%C3%A4ss%3Aword',
    ]);
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      token: 'opaque-1',
      token_type_hint: 'access_token',
    });
  });

  it('asks once for a token, however many calls carry it, until the answer is a minute old', async () => {
    const verifier = verifierWith();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify('opaque-1', { signal })));
    clock.now += 59_999;
    await verifier.verify('opaque-1', { signal });
    expect(endpoint.asked).toHaveLength(1);
    clock.now += 1;
    await verifier.verify('opaque-1', { signal });
    expect(endpoint.asked).toHaveLength(2);
  });

  it('does not let an answer outlive the token', async () => {
    endpoint.reply = { ...good, exp: NOW / 1000 + 20 };
    const verifier = verifierWith({ clockToleranceSeconds: 0 });
    await verifier.verify('opaque-1', { signal });
    clock.now += 20_000;
    await expect(verifier.verify('opaque-1', { signal })).rejects.toMatchObject({
      code: 'invalid_token',
      message: 'token refused: expired',
    });
  });

  it('notices a revoked token within a minute', async () => {
    const verifier = verifierWith();
    await verifier.verify('opaque-1', { signal });
    endpoint.reply = { active: false };
    clock.now += 60_000;
    await expect(verifier.verify('opaque-1', { signal })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('takes a token without a subject for a service only when told so', async () => {
    endpoint.reply = { ...good, sub: undefined, client_id: 'ci-bot' };
    const principal = await verifierWith({ missingSubject: 'service' }).verify('opaque-1', { signal });
    expect(principal).toMatchObject({ id: `${ISSUER}#ci-bot`, kind: 'service', clientId: 'ci-bot' });
    endpoint.reply = { ...good, sub: undefined, client_id: undefined };
    await expect(
      verifierWith({ missingSubject: 'service' }).verify('opaque-2', { signal }),
    ).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('tells two tokens apart', async () => {
    endpoint.reply = (form: URLSearchParams) => ({ ...good, sub: `owner of ${form.get('token')}` });
    const verifier = verifierWith();
    const subjects = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const { subject } = await verifier.verify(`token-${index % 2}`, { signal });
        return subject;
      }),
    );
    expect(new Set(subjects.filter((_, index) => index % 2 === 0))).toEqual(new Set(['owner of token-0']));
    expect(new Set(subjects.filter((_, index) => index % 2 === 1))).toEqual(new Set(['owner of token-1']));
    expect(endpoint.asked).toHaveLength(2);
  });

  it.each([
    ['inactive', { active: false }],
    ['of another issuer', { ...good, iss: 'https://other.example.test' }],
    ['for another audience', { ...good, aud: 'https://other.example.test' }],
    ['for more audiences', { ...good, aud: [AUDIENCE, 'https://other.example.test'] }],
    ['for nobody in particular', { ...good, aud: undefined }],
    ['without expiry', { ...good, exp: undefined }],
    ['expired', { ...good, exp: NOW / 1000 - 60 }],
    ['not valid yet', { ...good, nbf: NOW / 1000 + 60 }],
    ['issued in the future', { ...good, iat: NOW / 1000 + 60 }],
    // Whose it is could otherwise be guessed from the client, and a user would become a service.
    ['without a subject', { ...good, sub: undefined }],
    ['bound to a key, without proof', { ...good, cnf: { jkt: 'a'.repeat(43) } }],
  ])('refuses a token that is %s, and does not ask about it twice', async (_, reply) => {
    endpoint.reply = reply;
    const verifier = verifierWith();
    for (const _attempt of [1, 2]) {
      await expect(verifier.verify('opaque-1', { signal })).rejects.toMatchObject({ code: 'invalid_token' });
    }
    expect(endpoint.asked).toHaveLength(1);
  });

  it.each([
    ['fails', 500, good],
    ['does not know this server', 401, {}],
    ['sends elsewhere', 302, good],
    ['says something else', 200, { status: 'ok' }],
  ])('is unavailable when the endpoint %s, and asks again next time', async (_, status, reply) => {
    Object.assign(endpoint, { status, reply });
    const verifier = verifierWith();
    const error: unknown = await verifier
      .verify('canary-5f1d', { signal })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'unavailable', retryAfterMs: 5_000 });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('canary-5f1d');
    Object.assign(endpoint, { status: 200, reply: good });
    await expect(verifier.verify('canary-5f1d', { signal })).resolves.toBeDefined();
  });

  it('turns more than 100 tokens at once away instead of passing the flood on', async () => {
    const verifier = verifierWith();
    const results = await Promise.allSettled(
      Array.from({ length: 120 }, (_, index) => verifier.verify(`token-${index}`, { signal })),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(20);
    expect(endpoint.asked).toHaveLength(100);
  });

  /** Answers about `good` and `new` alone; everything else waits. */
  function holdJunk(): () => void {
    const held: (() => void)[] = [];
    endpoint.hold = (form) =>
      new Promise((resolve) => {
        if (['good', 'new'].includes(form.get('token') ?? '')) {
          resolve();
        } else {
          held.push(resolve);
        }
      });
    return () => held.forEach((release) => release());
  }

  it('asks about a token that was good while junk takes every place of strangers', async () => {
    const verifier = verifierWith();
    await verifier.verify('good', { signal });
    clock.now += 60_000;
    const release = holdJunk();
    const junk = Array.from({ length: 110 }, (_, index) => verifier.verify(`junk-${index}`, { signal }));
    const settled = Promise.allSettled(junk);
    await vi.waitFor(() => expect(endpoint.asked).toHaveLength(101));
    await expect(verifier.verify('good', { signal })).resolves.toMatchObject({ subject: 'alice' });
    await expect(verifier.verify('new', { signal })).rejects.toMatchObject({ code: 'unavailable' });
    release();
    await settled;
  });

  it('keeps places for others when one address sends junk', async () => {
    const verifier = verifierWith();
    const release = holdJunk();
    const junk = Array.from({ length: 110 }, (_, index) =>
      verifier.verify(`junk-${index}`, { signal, source: '192.0.2.1' }),
    );
    const settled = Promise.allSettled(junk);
    await vi.waitFor(() => expect(endpoint.asked).toHaveLength(20));
    await expect(verifier.verify('new', { signal, source: '192.0.2.2' })).resolves.toMatchObject({
      subject: 'alice',
    });
    release();
    const results = await settled;
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    // The places are free again.
    endpoint.hold = undefined;
    await expect(verifier.verify('junk-110', { signal, source: '192.0.2.1' })).resolves.toBeDefined();
  });

  it('lets a new token in after the next of others while junk of many addresses takes every place', async () => {
    const verifier = verifierWith();
    const release = holdJunk();
    const junk = Array.from({ length: 200 }, (_, index) =>
      verifier.verify(`junk-${index}`, { signal, source: `192.0.2.${index % 10}` }),
    );
    const settled = Promise.allSettled(junk);
    await vi.waitFor(() => expect(endpoint.asked).toHaveLength(100));
    const verifying = verifier.verify('new', { signal, source: '198.51.100.1' });
    release();
    await expect(verifying).resolves.toMatchObject({ subject: 'alice' });
    const tokens = endpoint.asked.map(({ form }) => form.get('token'));
    expect(tokens.indexOf('new')).toBe(100);
    endpoint.hold = undefined;
    release();
    await settled;
  });

  it('tells how long the endpoint has failed, and does not take odd tokens for that', async () => {
    const verifier = verifierWith();
    const failingMs = () => verifier.ages?.()[0]?.failingMs;
    await verifier.verify('good', { signal });
    expect(verifier.ages?.()).toEqual([{ fact: 'introspection', ageMs: 0, limitMs: 60_000, failingMs: 0 }]);
    for (const [status, fails] of [
      [400, false],
      [401, true],
      [503, true],
    ] as const) {
      endpoint.status = status;
      await expect(verifier.verify(`odd ${status}`, { signal })).rejects.toMatchObject({
        code: 'unavailable',
      });
      clock.now += 1_000;
      expect(failingMs() !== 0).toBe(fails);
    }
    expect(failingMs()).toBe(2_000);
    endpoint.status = 200;
    await verifier.verify('another', { signal });
    expect(failingMs()).toBe(0);
  });

  it('signs in with the form where that is how the endpoint has it', async () => {
    const client = { id: 'mcp server', secret: 'päss:word', method: 'post' } as const;
    await verifierWith({ client }).verify('opaque-1', { signal });
    const [request] = endpoint.asked;
    expect(request?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(request?.form ?? [])).toMatchObject({
      client_id: 'mcp server',
      client_secret: 'päss:word',
    });
  });

  it.each([
    ['plain http', { introspectionUrl: 'http://idp.example.test/introspect' }],
    ['no audience', { audience: '' }],
    ['no secret', { client: { id: 'a', secret: '' } }],
    ['a client that signs in otherwise', { client: { id: 'a', secret: 'b', method: 'jwt' as 'post' } }],
    ['a cache of an hour', { cacheMs: 3_600_000 }],
  ])('refuses %s', (_, options) => {
    expect(() => verifierWith(options)).toThrow(/introspectionUrl|audience|client|cacheMs/);
  });
});

describe('opaque tokens beside JWTs', () => {
  it('go to the endpoint, and JWTs never do', async () => {
    const issuer = await startIssuer();
    const jwt = createTokenVerifier({
      issuer: issuer.issuer,
      audience: AUDIENCE,
      algorithms: ['ES256'],
      jwksUrl: `${issuer.issuer}/jwks`,
    });
    const router = createTokenRouter({ jwt: [jwt], opaque: verifierWith() });
    await expect(router.verify(await issuer.token(), { signal })).resolves.toMatchObject({
      issuer: issuer.issuer,
    });
    await expect(router.verify(await issuer.token({ iss: ISSUER }), { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
    expect(endpoint.asked).toHaveLength(0);
    await expect(router.verify('opaque-1', { signal })).resolves.toMatchObject({ issuer: ISSUER });
    await router.close();
    await expect(router.verify('opaque-1', { signal })).rejects.toMatchObject({ code: 'unavailable' });
    await vi.waitFor(() => issuer.close());
  });
});
