import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createClientCredentials, createClient, defineEndpoint, type ClientOptions } from '../index.ts';
import {
  createTestClock,
  cutOff,
  drip,
  hang,
  malformed,
  createTestRandom,
  refuse,
  reply,
  reset,
  createScriptedUpstream,
  type Step,
} from './index.ts';

const readThing = defineEndpoint({
  id: 'things.read',
  method: 'GET',
  path: '/things/{id}',
  response: z.object({ id: z.string() }),
});

const createThing = defineEndpoint({
  id: 'things.create',
  method: 'POST',
  path: '/things',
  body: z.object({ id: z.string() }),
  response: z.object({ id: z.string() }),
});

const { signal } = new AbortController();
const thing = reply(200, { id: 'a' });

function setUp(steps: readonly [Step, ...Step[]], options: Partial<ClientOptions> = {}) {
  const upstream = createScriptedUpstream(...steps);
  const clock = createTestClock();
  const api = createClient({
    name: 'thing service',
    baseUrl: 'https://things.example',
    dispatcher: upstream.dispatcher,
    clock,
    random: createTestRandom(0.5),
    ...options,
  });
  const read = () => clock.settle(api.call(readThing, { params: { id: 'a' } }, { signal }));
  const create = () => clock.settle(api.call(createThing, { body: { id: 'a' } }, { signal }));
  return { upstream, clock, api, read, create };
}

describe('scripted upstream', () => {
  it('notes every request and takes one step for each', async () => {
    const { upstream, create } = setUp([(request) => reply(201, JSON.parse(request.body))]);

    expect(await create()).toMatchObject({ ok: true, data: { id: 'a' }, status: 201 });
    expect(upstream.requests).toMatchObject([
      { method: 'POST', origin: 'https://things.example', path: '/things', body: '{"id":"a"}' },
    ]);
  });

  it.each([
    ['refuse', refuse(), { code: 'network', sent: 'no' }],
    ['reset', reset(), { code: 'network', sent: 'maybe' }],
    ['cutOff', cutOff(), { code: 'network', sent: 'yes' }],
    ['hang', hang(), { code: 'timeout', sent: 'maybe' }],
    ['drip', drip(), { code: 'timeout', sent: 'yes' }],
    ['malformed', malformed(), { code: 'invalid_response', status: 200 }],
    ['a status', reply(503), { code: 'server_error', status: 503 }],
  ])('looks to a client like the real thing: %s', async (_, step, error) => {
    const { clock, create } = setUp([step], { policy: { retry: { maxRetries: 0 } } });

    expect(await create()).toMatchObject({ ok: false, error: { ...error, attempts: 1 } });
    expect(clock.pending()).toEqual([]);
  });

  it('serves tokens, too', async () => {
    const provider = createScriptedUpstream(reply(200, { access_token: 't', token_type: 'Bearer' }));
    const token = createClientCredentials({
      tokenUrl: 'https://sign-in.example/token',
      clientId: 'deployer',
      clientSecret: () => 's',
      dispatcher: provider.dispatcher,
    });
    const { upstream, read } = setUp([thing], { token });

    expect(await read()).toMatchObject({ ok: true });
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: 'Bearer t' });
  });
});

describe('test clock', () => {
  it('lets a call with all its waits take no time: back-off, Retry-After and jitter', async () => {
    const { upstream, clock, read } = setUp([reply(503), reply(429, {}, { 'retry-after': '7' }), thing]);

    expect(await read()).toMatchObject({ ok: true, attempts: 3 });

    expect(upstream.requests).toHaveLength(3);
    // Half of 200 ms, then 7 s and half of 400 ms.
    expect(clock.monotonicNow()).toBe(100 + 7_000 + 200);
  });

  it('shows a circuit open and close again', async () => {
    const { upstream, clock, api, read } = setUp([reply(503)], { policy: { retry: { maxRetries: 0 } } });

    for (let i = 0; i < 5; i++) {
      await read();
    }
    expect(await read()).toMatchObject({ ok: false, error: { code: 'circuit_open' } });
    upstream.script(thing);
    clock.advance(66_000);

    expect(await read()).toMatchObject({ ok: true });
    expect(upstream.requests).toHaveLength(6);
    expect(api.health()['things.read']).toMatchObject({ state: 'closed' });
  });

  it('runs timers in order, each at its own instant, and those they set', () => {
    const clock = createTestClock(0);
    const seen: [string, number][] = [];
    clock.schedule(20, () => seen.push(['late', clock.now()]));
    clock.schedule(10, () => {
      seen.push(['early', clock.now()]);
      clock.schedule(5, () => seen.push(['set by early', clock.now()]));
    });
    const cancel = clock.schedule(15, () => seen.push(['cancelled', clock.now()]));
    cancel();

    clock.advance(19);
    expect(clock.pending()).toEqual([1]);
    clock.advance(1);

    expect(seen).toEqual([
      ['early', 10],
      ['set by early', 15],
      ['late', 20],
    ]);
  });

  it('says so when the work waits for something else', async () => {
    await expect(createTestClock().settle(new Promise(() => {}))).rejects.toThrow('no timer of this clock');
  });

  it('hands on what the work throws', async () => {
    await expect(createTestClock().settle(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});

describe('createTestRandom', () => {
  it('gives its values in turn and then the last for ever', () => {
    const random = createTestRandom(0.1, 0.2);
    expect([random(), random(), random()]).toEqual([0.1, 0.2, 0.2]);
  });

  it('refuses what Math.random never gives', () => {
    expect(() => createTestRandom(1)).toThrow('random must be a number from 0 to below 1, got 1');
  });
});
