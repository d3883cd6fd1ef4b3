import { describe, expect, it } from 'vitest';

import { checkRedisSettings, redisOptions, redisSettings } from './redis-settings.ts';
import { readSettings } from './settings.ts';

const read = (environment: Record<string, string>) => readSettings(redisSettings, environment);
const ca = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----';

describe('the settings of Redis', () => {
  it('ask for none without a URL', () => {
    expect(redisOptions(read({}))).toBeUndefined();
    expect(checkRedisSettings(read({}))).toEqual([]);
  });

  it('become options', () => {
    const values = read({
      REDIS_URL: 'rediss://h:1',
      REDIS_PASSWORD: 'p',
      REDIS_CA: ca,
      REDIS_PREFIX: '{a}:',
    });
    expect(checkRedisSettings(values)).toEqual([]);
    expect(redisOptions(values)).toEqual({
      url: 'rediss://h:1',
      username: undefined,
      password: 'p',
      ca,
      prefix: '{a}:',
    });
  });

  it.each([
    [{ REDIS_PASSWORD: 'p' }, 'REDIS_URL is required, because other settings of Redis are given'],
    [
      { REDIS_URL: 'redis://h', REDIS_CA: ca },
      'REDIS_URL must begin with rediss://, because REDIS_CA is given',
    ],
    [
      { REDIS_URL: 'redis://h', REDIS_USERNAME: 'a' },
      'REDIS_PASSWORD is required, because REDIS_USERNAME is given',
    ],
  ])('that do not fit each other are told: %j', (environment, problem) => {
    expect(checkRedisSettings(read(environment))).toEqual([problem]);
  });

  it.each(['h:6379', 'http://h', 'redis://h/x', 'redis://h:0', 'redis://h:99999', 'redis://%zz:p@h'])(
    'refuse REDIS_URL=%s',
    (url) => {
      expect(() => read({ REDIS_URL: url })).toThrow('REDIS_URL: must be redis://HOST:PORT/DATABASE');
    },
  );
});
