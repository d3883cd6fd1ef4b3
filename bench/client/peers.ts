import { createClient, defineEndpoint, type Result } from '@mcp-parts/resilient-client';
import { z } from 'zod';

/** One HTTP client with retries, time-outs and, where there is one, a circuit breaker, as its README sets them up. */
export interface Peer {
  /** Resolves with the parsed JSON; rejects for every failure. */
  readonly get: () => Promise<unknown>;
  readonly post: () => Promise<unknown>;
  readonly close?: (() => Promise<void>) | undefined;
}

/** Time for one attempt, the same for all. */
export const ATTEMPT_TIMEOUT_MS = 500;

/** Creates a client for `${url}/things`; every one may repeat a request twice. */
export const peers: Readonly<Record<string, (url: string) => Promise<Peer>>> = {
  'resilient-client': (url) => {
    const client = createClient({
      name: 'thing service',
      baseUrl: url,
      policy: { attemptTimeoutMs: ATTEMPT_TIMEOUT_MS },
    });
    const { signal } = new AbortController();
    const dataOf = (result: Result<unknown>) => (result.ok ? result.data : Promise.reject(result.error));
    return Promise.resolve({
      get: async () => dataOf(await client.call(readThing, {}, { signal })),
      post: async () => dataOf(await client.call(createThing, { body: { name: 'a' } }, { signal })),
      close: () => client.close(),
    });
  },

  async 'axios + axios-retry + opossum'(url) {
    const { default: axios } = await import('axios');
    const { default: axiosRetry, exponentialDelay } = await import('axios-retry');
    // @ts-expect-error opossum publishes no types.
    const { default: Opossum } = await import('opossum');
    const http = axios.create({ baseURL: url, timeout: ATTEMPT_TIMEOUT_MS });
    axiosRetry(http, { retries: 2, retryDelay: exponentialDelay });
    type Breaker = {
      readonly fire: (method: string) => Promise<{ data: unknown }>;
      readonly shutdown: () => void;
    };
    const breaker = new Opossum(
      (method: string) =>
        http.request({ method, url: '/things', ...(method === 'post' && { data: { name: 'a' } }) }),
      { timeout: 30_000, resetTimeout: 60_000 },
    ) as Breaker;
    return {
      get: async () => (await breaker.fire('get')).data,
      post: async () => (await breaker.fire('post')).data,
      close: () => Promise.resolve(breaker.shutdown()),
    };
  },

  async got(url) {
    const { default: got } = await import('got');
    const http = got.extend({
      prefixUrl: url,
      responseType: 'json',
      timeout: { request: ATTEMPT_TIMEOUT_MS },
      retry: { limit: 2 },
    });
    return {
      get: async () => (await http.get('things')).body,
      post: async () => (await http.post('things', { json: { name: 'a' } })).body,
    };
  },

  async ky(url) {
    const { default: ky } = await import('ky');
    const http = ky.create({ prefix: url, timeout: ATTEMPT_TIMEOUT_MS, retry: 2 });
    return {
      get: () => http.get('things').json(),
      post: () => http.post('things', { json: { name: 'a' } }).json(),
    };
  },

  async 'cockatiel + undici'(url) {
    const { request } = await import('undici');
    const cockatiel = await import('cockatiel');
    const policy = cockatiel.wrap(
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() }),
      cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 60_000,
        breaker: new cockatiel.ConsecutiveBreaker(5),
      }),
      cockatiel.timeout(ATTEMPT_TIMEOUT_MS, cockatiel.TimeoutStrategy.Aggressive),
    );
    const call = (method: 'GET' | 'POST', body?: string) =>
      policy.execute(async ({ signal }) => {
        const headers = { 'content-type': 'application/json' };
        const response = await request(`${url}/things`, { method, signal, ...(body && { body, headers }) });
        if (response.statusCode >= 400) {
          await response.body.dump();
          throw new Error(`status ${response.statusCode}`);
        }
        return response.body.json();
      });
    return { get: () => call('GET'), post: () => call('POST', '{"name":"a"}') };
  },
};

const readThing = defineEndpoint({
  id: 'things.read',
  method: 'GET',
  path: '/things',
  response: z.unknown(),
});

const createThing = defineEndpoint({
  id: 'things.create',
  method: 'POST',
  path: '/things',
  body: z.object({ name: z.string() }),
  response: z.unknown(),
});
