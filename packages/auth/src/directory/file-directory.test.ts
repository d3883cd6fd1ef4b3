import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Principal } from '../index.ts';
import { directoryContract } from '../testing.ts';
import { createFileDirectory } from './file-directory.ts';

const issuer = 'https://idp.example.test';
const principal = (subject: string): Principal => ({
  id: `${issuer}#${subject}`,
  issuer,
  subject,
  kind: 'user',
  scopes: [],
  expiresAt: 0,
});
const { signal } = new AbortController();
const yaml = (groups: string) => `version: 1\nusers:\n  ${issuer}#alice:\n    groups: [${groups}]\n`;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'directory-'));
  path = join(folder, 'directory.yaml');
  await writeFile(path, yaml('platform'));
});
afterEach(() => rm(folder, { recursive: true }));

function open(clock = { now: 0 }) {
  const logger = {
    info: vi.fn<(fields: object, message: string) => void>(),
    error: vi.fn<(fields: object, message: string) => void>(),
  };
  const directory = createFileDirectory({ path, checkIntervalMs: 1_000, logger, now: () => clock.now });
  const groupsOf = async (subject: string) => (await directory).groupsOf(principal(subject), { signal });
  return { groupsOf, logger, clock, directory };
}

describe('createFileDirectory', () => {
  it('knows users by issuer and subject, and nothing of others', async () => {
    const { groupsOf } = open();
    expect(await groupsOf('alice')).toEqual(['platform']);
    expect(await groupsOf('bob')).toEqual([]);
    expect(await groupsOf('Alice')).toEqual([]);
  });

  it.each(directoryContract)('$name', async ({ run }) => {
    await writeFile(path, `${yaml('platform, readers')}  ${issuer}#loner:\n    groups: []\n`);
    const member = { principal: principal('alice'), groups: ['platform', 'readers'] };
    await run({ directory: await open().directory, member, loner: principal('loner') });
    expect.assertions(0);
  });

  it('reads JSON', async () => {
    await writeFile(path, JSON.stringify({ version: 1, users: { [`${issuer}#alice`]: { groups: ['x'] } } }));
    expect(await open().groupsOf('alice')).toEqual(['x']);
  });

  it('takes a changed file, looking not more often than it was told to', async () => {
    const { groupsOf, clock } = open();
    await groupsOf('alice');
    await writeFile(path, yaml('platform, readers'));
    clock.now = 999;
    expect(await groupsOf('alice')).toEqual(['platform']);
    clock.now = 1_000;
    expect(await groupsOf('alice')).toEqual(['platform', 'readers']);
  });

  it('answers nothing through a bad edit, says so once, and recovers', async () => {
    const { groupsOf, logger, clock } = open();
    await groupsOf('alice');
    await writeFile(path, 'version: 1\nusers: [');
    for (const now of [1_000, 2_000, 3_000]) {
      clock.now = now;
      await expect(groupsOf('alice')).rejects.toThrow('the directory file is not usable');
    }
    expect(logger.error.mock.calls).toEqual([
      [{ path: expect.any(String), err: expect.any(Error) }, expect.any(String)],
    ]);
    await writeFile(path, yaml('readers'));
    clock.now = 4_000;
    expect(await groupsOf('alice')).toEqual(['readers']);
  });

  it('answers nothing while the file is missing', async () => {
    const { groupsOf, logger, clock } = open();
    await groupsOf('alice');
    await rm(path);
    for (const now of [1_000, 2_000]) {
      clock.now = now;
      await expect(groupsOf('alice')).rejects.toThrow('the directory file is not usable');
    }
    expect(logger.error).toHaveBeenCalledTimes(1);
    await writeFile(path, yaml('readers'));
    clock.now = 3_000;
    expect(await groupsOf('alice')).toEqual(['readers']);
  });

  it('answers again when the file is back as it was', async () => {
    const { groupsOf, clock } = open();
    await groupsOf('alice');
    await rename(path, `${path}.away`);
    clock.now = 1_000;
    await expect(groupsOf('alice')).rejects.toThrow('the directory file is not usable');
    await rename(`${path}.away`, path);
    clock.now = 2_000;
    expect(await groupsOf('alice')).toEqual(['platform']);
  });

  it.skipIf(process.platform === 'win32').each([
    ['a directory', (at: string) => mkdir(at)],
    // Whoever opens one waits until somebody writes into it.
    ['a pipe', (at: string) => promisify(execFile)('mkfifo', [at])],
  ])('answers nothing while %s is in its place', async (_, make) => {
    const { groupsOf, clock } = open();
    await groupsOf('alice');
    await rename(path, `${path}.away`);
    await make(path);
    clock.now = 1_000;
    await expect(groupsOf('alice')).rejects.toThrow('the directory file is not usable');
    await expect(createFileDirectory({ path })).rejects.toThrow(`${path} is not a file`);
    await rm(path, { recursive: true });
    await rename(`${path}.away`, path);
    clock.now = 2_000;
    expect(await groupsOf('alice')).toEqual(['platform']);
  });

  // Links need a privilege there, and nothing there turns them.
  it.skipIf(process.platform === 'win32')('follows the link that Kubernetes turns', async () => {
    const volume = async (name: string, groups: string): Promise<void> => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'directory.yaml'), yaml(groups));
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await volume('..2026_01_01', 'platform');
    await rm(path);
    await symlink(join('..data', 'directory.yaml'), path);
    const { groupsOf, clock } = open();
    expect(await groupsOf('alice')).toEqual(['platform']);
    await volume('..2026_01_02', 'readers');
    await rm(join(folder, '..2026_01_01'), { recursive: true });
    clock.now = 1_000;
    expect(await groupsOf('alice')).toEqual(['readers']);
  });

  it('takes a change that keeps the length and the time of the file', async () => {
    const past = new Date('2020-01-01T00:00:00Z');
    await utimes(path, past, past);
    const { groupsOf, clock } = open();
    expect(await groupsOf('alice')).toEqual(['platform']);
    await writeFile(path, yaml('PLATFORM'));
    await utimes(path, past, past);
    clock.now = 1_000;
    expect(await groupsOf('alice')).toEqual(['PLATFORM']);
  });

  it('has an age, and notices a removed file without a question', async () => {
    const { directory: opening, clock } = open();
    const directory = await opening;
    expect(directory.ages?.()).toEqual([{ fact: 'directory', ageMs: 0, limitMs: 1_000, failingMs: 0 }]);
    await rm(path);
    await expect
      .poll(() => {
        clock.now += 1_000;
        return directory.ages?.()[0]?.failingMs;
      })
      .toBeGreaterThan(0);
  });

  it('knows whose users are in it', async () => {
    const directory = await open().directory;
    expect(directory.knowsIssuer?.(issuer)).toBe(true);
    expect(directory.knowsIssuer?.(issuer.slice(0, -1))).toBe(false);
  });

  it.each([
    ['an unknown key', 'version: 1\nuser: {}\n', 'Unrecognized key: "user"'],
    ['a user without issuer', 'version: 1\nusers: { alice: { groups: [] } }\n', 'users.alice: '],
    [
      'groups that are not a list',
      `version: 1\nusers: { "${issuer}#a": { groups: x } }\n`,
      `users["${issuer}#a"].groups: `,
    ],
  ])('does not start with %s', async (_, text, problem) => {
    await writeFile(path, text);
    const error: unknown = await open().directory.catch((reason: unknown) => reason);
    expect(String(error)).toContain(path);
    expect(String(error)).toContain(problem);
  });

  it('does not start without its file', async () => {
    await rm(path);
    await expect(open().directory).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
