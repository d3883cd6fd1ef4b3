import { describe, expect, it } from 'vitest';

import { resolveRedisOptions } from './redis-options.ts';

describe('the options of a connection', () => {
  it.each([
    ['redis://redis.internal', { host: 'redis.internal', port: 6379, db: 0, tls: undefined }],
    ['redis://[::1]:6380/3', { host: '::1', port: 6380, db: 3 }],
    ['rediss://ada:p%40ss@127.0.0.1:1', { username: 'ada', password: 'p@ss', tls: {} }],
  ])('read %s', (url, expected) => {
    expect(resolveRedisOptions({ url })).toMatchObject(expected);
  });

  it('count more than what the URL says', () => {
    const { username, password } = resolveRedisOptions({
      url: 'redis://ada:old@h',
      username: 'bob',
      password: 'new',
    });
    expect([username, password]).toEqual(['bob', 'new']);
  });

  it.each([
    'redis.internal:6379',
    'http://redis.internal',
    'redis://',
    'redis://h/cache',
    'redis://h?password=hunter2',
    'redis://:hunter2@h/#x',
    'redis://:hunter2@h:port',
    'redis://:hunter2@h:0',
    'redis://:hunter2%@h',
  ])('refuse %s, and do not repeat it', (url) => {
    expect(() => resolveRedisOptions({ url })).toThrow(/^url must be redis:\/\/HOST:PORT\/DATABASE/u);
    expect(() => resolveRedisOptions({ url })).not.toThrow(/hunter2/u);
  });

  it.each([
    [{ url: 'redis://h', ca: 'PEM' }, 'ca counts with rediss:// only'],
    [{ url: 'redis://h', username: 'ada' }, 'password must be given with a username'],
    [{ url: 'redis://h', prefix: 'a b' }, 'prefix must be 1 to 100 visible ASCII characters'],
    [
      { url: 'redis://h', commandTimeoutMs: 9 },
      'commandTimeoutMs must be a whole number from 10 to 10000, got 9',
    ],
    [{ url: 'redis://h', connectTimeoutMs: Number.NaN }, 'connectTimeoutMs must be a whole number'],
  ])('refuse %j', (options, message) => {
    expect(() => resolveRedisOptions(options)).toThrow(message);
  });
});
