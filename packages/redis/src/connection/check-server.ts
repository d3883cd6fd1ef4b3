import type { Redis } from 'ioredis';

import { RedisError } from '../errors.ts';

/** GETDEL came with 6.2; Valkey, which began after 7.2, has it. */
const MIN_VERSION = [6, 2] as const;

/**
 * What keeps a Redis from being used, or what its operator should know of it.
 *
 * @throws {unknown} when it cannot be asked.
 */
export async function findProblem(client: Redis): Promise<RedisError | readonly string[]> {
  const version =
    /^redis_version:(?<version>\S+)/mu.exec(await client.info('server'))?.groups?.['version'] ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1])) {
    return new RedisError('unsuitable', `redis must be 6.2 or newer, and is ${version}`);
  }
  const settings = await readSettings(client);
  if (settings === undefined) {
    return ['its settings cannot be read: make sure that maxmemory-policy is noeviction'];
  }
  const policy = settings['maxmemory-policy'];
  if (policy !== undefined && policy !== 'noeviction') {
    const wanted = 'maxmemory-policy must be noeviction';
    return new RedisError('unsuitable', `${wanted}, and is ${policy}: it would forget what has been used`);
  }
  return [];
}

/** What keeps a Redis from keeping tasks, as far as it says. @throws {unknown} when it cannot be asked. */
export async function findForgetfulness(client: Redis): Promise<RedisError | undefined> {
  const settings = await readSettings(client);
  return settings?.['appendonly'] === 'no'
    ? new RedisError('unsuitable', 'appendonly must be yes, and is no: redis would forget accepted tasks')
    : undefined;
}

/** `undefined` where they may not be read, as in many managed services. */
async function readSettings(client: Redis): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    // One at a time: several patterns in one command came with 7.0.
    const read = ['maxmemory-policy', 'appendonly'].map((name) => client.config('GET', name));
    const pairs = (await Promise.all(read)) as (readonly string[])[];
    return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value] as const));
  } catch (error) {
    if (error instanceof Error && /^(?:ERR|NOPERM)\b/u.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}
