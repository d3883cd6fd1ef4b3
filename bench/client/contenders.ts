import { Agent } from 'node:http';

import { createClient, defineEndpoint } from '@mcp-parts/resilient-client';
import { z } from 'zod';

/** The names of what is compared, the reference first. */
export const contenderNames = [
  'undici.request',
  'resilient-client',
  'cockatiel + undici',
  'axios + axios-retry + opossum',
  'ky',
  'got',
] as const;

export type ContenderName = (typeof contenderNames)[number];

/** Makes one call and parses its JSON; throws when the answer is not the expected one. */
export type Contender = (id: string) => Promise<void>;

/** Sets a contender up the way its README recommends, with time-outs and retries on where it has them. */
export function createContender(name: ContenderName, baseUrl: string): Promise<Contender> {
  return factories[name](baseUrl);
}

const factories: Record<ContenderName, (baseUrl: string) => Promise<Contender>> = {
  async 'undici.request'(baseUrl) {
    const { request } = await import('undici');
    return async (id) => {
      const { statusCode, body } = await request(`${baseUrl}/things/${encodeURIComponent(id)}`);
      expectThing(statusCode, await body.json());
    };
  },

  /** Everything on: deadline, retries, budget, breaker, limit, token, size cap, schema, events. */
  'resilient-client': async (baseUrl) => {
    let events = 0;
    const client = createClient({
      name: 'thing service',
      baseUrl,
      token: { get: () => Promise.resolve({ value: 'token' }), invalidate: () => {} },
      on: () => (events += 1),
    });
    const { signal } = new AbortController();
    return async (id) => {
      const result = await client.call(readThing, { params: { id } }, { signal });
      if (!result.ok) {
        throw result.error;
      }
      expectThing(result.status, result.data);
    };
  },

  async 'cockatiel + undici'(baseUrl) {
    const { request } = await import('undici');
    const cockatiel = await import('cockatiel');
    const policy = cockatiel.wrap(
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() }),
      cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 60_000,
        breaker: new cockatiel.ConsecutiveBreaker(5),
      }),
      cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive),
    );
    return (id) =>
      policy.execute(async ({ signal }) => {
        const { statusCode, body } = await request(`${baseUrl}/things/${encodeURIComponent(id)}`, { signal });
        expectThing(statusCode, await body.json());
      });
  },

  async 'axios + axios-retry + opossum'(baseUrl) {
    const { default: axios } = await import('axios');
    const { default: axiosRetry, exponentialDelay } = await import('axios-retry');
    // @ts-expect-error opossum publishes no types.
    const { default: Opossum } = await import('opossum');
    const http = axios.create({ baseURL: baseUrl, timeout: 10_000, httpAgent: keepAlive() });
    axiosRetry(http, { retries: 2, retryDelay: exponentialDelay });
    const breaker = new Opossum((id: string) => http.get(`/things/${encodeURIComponent(id)}`), {
      timeout: 30_000,
      resetTimeout: 60_000,
    }) as { readonly fire: (id: string) => Promise<{ status: number; data: unknown }> };
    return async (id) => {
      const { status, data } = await breaker.fire(id);
      expectThing(status, data);
    };
  },

  async ky(baseUrl) {
    const { default: ky } = await import('ky');
    const http = ky.create({ prefix: baseUrl, timeout: 10_000, retry: 2 });
    return async (id) => {
      const response = await http.get(`things/${encodeURIComponent(id)}`);
      expectThing(response.status, await response.json());
    };
  },

  async got(baseUrl) {
    const { default: got } = await import('got');
    const http = got.extend({
      prefixUrl: baseUrl,
      responseType: 'json',
      timeout: { request: 10_000 },
      retry: { limit: 2 },
      agent: { http: keepAlive() },
    });
    return async (id) => {
      const { statusCode, body } = await http.get(`things/${encodeURIComponent(id)}`);
      expectThing(statusCode, body);
    };
  },
};

const readThing = defineEndpoint({
  id: 'things.read',
  method: 'GET',
  path: '/things/{id}',
  response: z.object({ id: z.string(), name: z.string(), version: z.number(), tags: z.array(z.string()) }),
});

function keepAlive(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 64 });
}

/** Keeps a contender from being fast by not doing the work. */
function expectThing(status: number, data: unknown): void {
  if (status !== 200 || (data as { version?: unknown }).version !== 7) {
    throw new Error(`status ${status}`);
  }
}
