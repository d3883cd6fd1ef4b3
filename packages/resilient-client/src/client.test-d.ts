import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';

import { defineEndpoint, type Client, type PathParams, type Result, type StandardSchema } from './index.ts';

declare const api: Client;
const context = { signal: new AbortController().signal };
const Deployment = z.object({ id: z.string(), status: z.enum(['queued', 'running']) });

const create = defineEndpoint({
  id: 'deployments.create',
  method: 'POST',
  path: '/v1/services/{service}/deployments',
  body: z.object({ version: z.string(), dryRun: z.boolean().default(false) }),
  response: Deployment,
});
const list = defineEndpoint({
  id: 'deployments.list',
  method: 'GET',
  path: '/v1/deployments',
  query: z.object({ limit: z.number().optional() }),
  response: z.object({ items: z.array(Deployment) }),
});

it('reads the parameters out of the path', () => {
  expectTypeOf<PathParams<'/a/{b}/c/{d}'>>().toExtend<{ b: string | number; d: string | number }>();
  expectTypeOf<keyof PathParams<'/a'>>().toBeNever();
});

it('returns the type of the response schema', () => {
  const result = api.call(create, { params: { service: 'a' }, body: { version: '1' } }, context);
  expectTypeOf(result).resolves.toEqualTypeOf<Result<z.output<typeof Deployment>>>();
});

it('wants exactly the declared input', () => {
  expectTypeOf(api.call(list, {}, context)).resolves.toHaveProperty('ok');
  void api.call(list, { query: { limit: 5 } }, context);
  // @ts-expect-error a missing path parameter
  void api.call(create, { params: {}, body: { version: '1' } }, context);
  // @ts-expect-error a missing body
  void api.call(create, { params: { service: 'a' } }, context);
  // @ts-expect-error a body of another shape
  void api.call(create, { params: { service: 'a' }, body: { version: 1 } }, context);
  // @ts-expect-error a query of another shape
  void api.call(list, { query: { limit: 'x' } }, context);
  // @ts-expect-error a body for an endpoint without one
  void api.call(list, { body: {} }, context);
  // @ts-expect-error no signal
  void api.call(list, {}, {});
});

it('takes any Standard Schema beside zod, with its types', () => {
  const count: StandardSchema<string, number> = {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: Number(value) }) },
  };
  const add = defineEndpoint({ id: 'add', method: 'POST', path: '/add', body: count, response: count });
  expectTypeOf(api.call(add, { body: '7' }, context)).resolves.toEqualTypeOf<Result<number>>();
  // @ts-expect-error a body of the output's type
  void api.call(add, { body: 7 }, context);
});
