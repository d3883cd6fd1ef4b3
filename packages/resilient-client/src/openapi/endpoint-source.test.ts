import { describe, expect, it } from 'vitest';

import { endpointSource } from './endpoint-source.ts';

const ok = { content: { 'application/json': { schema: { type: 'string' } } }, description: 'ok' };

const document = (paths: unknown, more: object = {}) => ({ openapi: '3.1.0', paths, ...more });

const get = (operation: object) =>
  endpointSource(
    document({ '/things/{id}': { get: { operationId: 'get', responses: { 200: ok }, ...operation } } }),
    'api.yaml',
  );

describe('endpoint source', () => {
  it('writes what an operation says: parameters, body, answers, key and words', () => {
    const source = endpointSource(
      document(
        {
          '/things/{id}': {
            parameters: [
              { $ref: '#/components/parameters/dryRun' },
              { name: 'limit', in: 'query', schema: { type: 'string' } },
            ],
            put: {
              operationId: 'things.put-one',
              summary: 'Writes a thing. */ import "evil";',
              deprecated: true,
              parameters: [
                { name: 'idempotency-key', in: 'header', schema: { type: 'string' } },
                { name: 'X-Tenant', in: 'header', schema: { type: 'string' } },
                { name: 'limit', in: 'query', schema: { type: 'integer' } },
              ],
              requestBody: { content: { 'application/json': { schema: { type: 'string' } } } },
              responses: {
                200: ok,
                204: { description: 'unchanged' },
                409: { description: 'busy', 'x-user-message': "It's busy." },
                default: { description: 'failed', 'x-user-message': 'not a status' },
              },
            },
          },
        },
        {
          components: {
            parameters: { dryRun: { name: 'dry-run', in: 'query', schema: { type: 'boolean' } } },
          },
        },
      ),
      'api.yaml',
    );

    expect(source).toContain(
      '/** Writes a thing. * / import "evil"; Takes X-Tenant in the call\'s headers. @deprecated */',
    );
    expect(source).toContain(`export const thingsPutOne = defineEndpoint({
  id: 'things.put-one',
  method: 'PUT',
  path: '/things/{id}',
  query: z.strictObject({ 'dry-run': z.boolean().optional(), limit: z.int().optional(), }),
  body: z.string(),
  response: z.union([z.string(), z.undefined()]),
  replay: 'key',
  explain: { 409: 'It\\'s busy.', },
});`);
  });

  it('writes only what is asked for, so that the rest need not be supported', () => {
    const broken = { operationId: 'broken', responses: { 200: { content: { 'text/plain': {} } } } };
    const paths = {
      '/a': { get: { operationId: 'good', responses: { 200: ok } }, put: broken },
      '/a/{b-c}': { get: { responses: { 200: ok } } },
    };

    expect(endpointSource(document(paths), 'api.yaml', ['good'])).toMatch(/id: 'good'/);
    expect(() => endpointSource(document(paths), 'api.yaml')).toThrow('PUT /a 200: a body other than');
    expect(() => endpointSource(document(paths), 'api.yaml', ['other'])).toThrow('it does not have, other,');
  });

  it.each([
    [{ operationId: undefined }, 'get-things-id', 'getThingsId'],
    [{ operationId: '/*' }, 'get-things-id', 'getThingsId'],
    [{ operationId: 'read a thing!' }, 'read-a-thing', 'readAThing'],
    [{ operationId: '1st' }, 'st', 'st'],
    [{ operationId: 'delete' }, 'delete', 'deleteOperation'],
  ])('names what has no usable operationId: %j', (operation, id, name) => {
    expect(get(operation)).toContain(`export const ${name} = defineEndpoint({\n  id: '${id}',`);
  });

  it('does not support a path parameter that cannot be a name', () => {
    const paths = { '/a/{b-c}': { get: { operationId: 'a', responses: { 200: ok } } } };
    expect(() => endpointSource(document(paths), 'api.yaml')).toThrow(
      'GET /a/{b-c}: the path parameter {b-c}',
    );
  });

  it.each([
    ['using the name defineEndpoint twice', { operationId: 'defineEndpoint' }],
    ['an operation without a 2xx response', { responses: { 404: ok } }],
    ['a body other than application/json', { responses: { 200: { content: { 'text/plain': {} } } } }],
    ['a body other than application/json', { requestBody: { content: { 'text/xml': {} } } }],
    ['style is not exploded "form"', { parameters: [{ name: 'a', in: 'query', style: 'deepObject' }] }],
    ['the reference other.yaml', { parameters: [{ $ref: 'other.yaml' }] }],
    ['something that is no object', { parameters: [{ $ref: '#/components/parameters/toString' }] }],
  ])('says that it does not support %s', (message, operation) => {
    expect(() => get(operation)).toThrow(message);
  });

  it.each([document({}, { openapi: '3.0.3' }), { swagger: '2.0' }, null])(
    'takes only OpenAPI 3.1: %j',
    (other) => {
      expect(() => endpointSource(other, 'api.yaml')).toThrow('a document that is not OpenAPI 3.1 or 3.0');
    },
  );
});
