import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { defineEndpoint, replayOf, type HttpMethod } from './define-endpoint.ts';

const response = z.unknown();

describe('defineEndpoint', () => {
  it.each([
    'things',
    '//things',
    '/things/',
    '/things?x=1',
    '/things#x',
    '/{}',
    '/{a-b}',
    '/a b',
    '/%2e%2e/x',
  ])('refuses the path %s', (path) => {
    expect(() => defineEndpoint({ id: 'x', method: 'GET', path, response })).toThrow(
      /^endpoint x: path must be/,
    );
  });

  it.each(['/', '/v1/things/{id}', '/v1/things:search', '/files/{name}.json', '/{a}/{b_2}'])(
    'takes the path %s',
    (path) => {
      expect(() => defineEndpoint({ id: 'x', method: 'GET', path, response })).not.toThrow();
    },
  );

  it('refuses an id that cannot be a metric label, a GET with a body, and a policy out of range', () => {
    expect(() => defineEndpoint({ id: 'a b', method: 'GET', path: '/', response })).toThrow(TypeError);
    expect(() => defineEndpoint({ id: 'x', method: 'GET', path: '/', response, body: z.string() })).toThrow(
      TypeError,
    );
    expect(() =>
      defineEndpoint({ id: 'x', method: 'GET', path: '/', response, policy: { deadlineMs: -1 } }),
    ).toThrow(RangeError);
  });

  it('replays the idempotent methods of RFC 9110 and no others, unless told', () => {
    const methods: HttpMethod[] = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH'];
    expect(methods.map((method) => replayOf({ method }))).toEqual([
      'idempotent',
      'idempotent',
      'idempotent',
      'idempotent',
      'never',
      'never',
    ]);
    expect(replayOf({ method: 'POST', replay: 'key' })).toBe('key');
  });
});
