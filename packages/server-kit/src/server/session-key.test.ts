import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openSessionKey } from './session-key.ts';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'session-key-')), 'session-key');
});
afterEach(() => rm(join(file, '..'), { recursive: true }));

describe('the key of the sessions', () => {
  it('is made once, by whoever is first', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => openSessionKey(file)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(await openSessionKey(file)).toEqual(keys[0]);
  });

  it.skipIf(process.platform === 'win32')('is not waited for where a pipe is in its place', async () => {
    await promisify(execFile)('mkfifo', [file]);
    await expect(openSessionKey(file)).rejects.toThrow(`${file} is not a regular file`);
  });
});
