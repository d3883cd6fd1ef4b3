import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FactLogger } from '../facts/watched-file.ts';
import { policyEngineContract, unavailableEngineCase } from '../testing.ts';
import { createFilePolicy } from './file-policy.ts';
import type { FilePolicyOptions } from './file-policy.ts';

const { signal } = new AbortController();
const user = { kind: 'user', groups: ['platform'], scopes: ['deploy:staging', 'deploy:production'] } as const;
const both = ['deploy:staging', 'deploy:production'];
const yaml = (allow: string, end = '...\n') =>
  `version: 1\npermissions: [${both.join(', ')}]\ngroups: [platform]\ngrants:\n  - { group: platform, allow: [${allow}] }\n${end}`;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
  path = join(folder, 'policy.yaml');
  await writeFile(path, yaml("'deploy:*'"));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(options: Partial<FilePolicyOptions> = {}) {
  const clock = { now: 0 };
  const logger = { info: vi.fn<FactLogger['info']>(), error: vi.fn<FactLogger['error']>() };
  const policy = await createFilePolicy({ path, logger, now: () => clock.now, ...options });
  const held = async () => policy.permissionsFor(user, { signal });
  const decide = async (permission: string, permissions: readonly string[] = both) =>
    policy.decide({ ...user, permissions }, permission, { signal });
  /** What the file says a second later. */
  const change = async (text: string | undefined): Promise<void> => {
    await (text === undefined ? rm(path) : writeFile(path, text));
    clock.now += 1_000;
  };
  return { policy, held, decide, change, clock, logger };
}

const unusable: [string, string | undefined][] = [
  ['a bad edit', 'version: 1\ngrants: ['],
  ['a file that was cut off', yaml("'deploy:*'", '')],
  ['an empty file', ''],
  ['a policy that means nothing', yaml('deploy:qa')],
  ['a removed file', undefined],
];

describe('createFilePolicy', () => {
  it.each(policyEngineContract)('$name', async ({ run }) => {
    await writeFile(path, yaml('deploy:staging'));
    await run({ engine: (await open()).policy, permissions: both, user });
    expect.assertions(0);
  });

  it.each([unavailableEngineCase])('$name', async ({ run }) => {
    const { policy, change, clock } = await open();
    await change(undefined);
    await policy.permissionsFor(user, { signal });
    clock.now += 3_600_001;
    await run({ engine: policy, permissions: both, user });
    expect.assertions(0);
  });

  it('follows its file, looking not more often than it was told to', async () => {
    const { policy, held, decide, clock, logger } = await open();
    expect(await held()).toEqual(both.toSorted());
    await writeFile(
      path,
      `${yaml('deploy:staging', '')}require:\n  deploy:production: { fresh: true }\n...\n`,
    );
    clock.now = 999;
    expect(await held()).toEqual(both.toSorted());
    clock.now = 1_000;
    expect(await held()).toEqual(['deploy:staging']);
    expect(await decide('deploy:production', [])).toEqual({ allowed: false, reason: 'missing_permission' });
    expect(policy.freshPermissions).toEqual(['deploy:production']);
    expect(logger.info.mock.calls).toEqual([[{ path, permissions: 2 }, 'policy file reloaded']]);
  });

  it('ends at once what a caller held by an earlier version, however long it stays', async () => {
    const { decide, change } = await open();
    expect(await decide('deploy:production')).toMatchObject({ allowed: true });
    await change(yaml('deploy:staging'));
    expect(await decide('deploy:production')).toEqual({ allowed: false, reason: 'missing_permission' });
    expect(await decide('deploy:staging')).toMatchObject({ allowed: true });
  });

  it('leaves a local caller what it was given', async () => {
    const { policy, change } = await open();
    await change(yaml('deploy:staging'));
    const local = { kind: 'user', groups: [], issuer: 'local', permissions: ['deploy:production'] } as const;
    expect(await policy.decide(local, 'deploy:production', { signal })).toMatchObject({ allowed: true });
    expect(await policy.decide(local, 'deploy:staging', { signal })).toMatchObject({ allowed: false });
  });

  it.each(unusable)('keeps the last good policy through %s, says so once, and recovers', async (_, text) => {
    const { held, change, clock, logger } = await open();
    await change(text);
    for (let round = 0; round < 3; round += 1) {
      expect(await held()).toEqual(both.toSorted());
      clock.now += 1_000;
    }
    expect(logger.error.mock.calls).toEqual([
      [{ path, err: expect.any(Error) }, expect.stringContaining('policy file not usable')],
    ]);
    await change(yaml('deploy:staging'));
    expect(await held()).toEqual(['deploy:staging']);
  });

  it.each(unusable)('decides nothing after an hour of %s', async (_, text) => {
    const { policy, held, decide, change, clock } = await open();
    await change(text);
    // Good until a second ago, when somebody last looked.
    clock.now = 3_600_000;
    expect(await held()).toEqual(both.toSorted());
    clock.now += 1_000;
    await expect(held()).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 5_000 });
    expect(await decide('deploy:staging')).toMatchObject({ allowed: false, reason: 'unavailable' });
    expect(policy.ages()).toEqual([
      { fact: 'policy', ageMs: 3_601_000, limitMs: 3_600_000, failingMs: 1_000 },
    ]);
  });

  it('is not older than it is asked to be, where the file cannot be used', async () => {
    const { policy, change, clock } = await open();
    await change(undefined);
    await expect(policy.current({ signal, maxAgeMs: 30_000 })).resolves.toBeDefined();
    clock.now = 30_001;
    await expect(policy.current({ signal, maxAgeMs: 30_000 })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(policy.current({ signal })).resolves.toBeDefined();
  });

  it('is of unknown age, where the file cannot be used and the clock was set back', async () => {
    const { policy, change, clock } = await open();
    await change(undefined);
    clock.now = -3_600_000;
    await expect(policy.current({ signal, maxAgeMs: 30_000 })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('looks again for who wants it newer than the interval', async () => {
    const { policy, clock } = await open({ checkIntervalMs: 600_000 });
    await writeFile(path, yaml('deploy:staging'));
    clock.now = 30_000;
    expect((await policy.current({ signal })).permissionsFor(user)).toEqual(both.toSorted());
    const current = await policy.current({ signal, maxAgeMs: 30_000 });
    expect(current.permissionsFor(user)).toEqual(['deploy:staging']);
  });

  it('ages while its file cannot be used, and notices that without being asked anything else', async () => {
    const { policy, clock } = await open();
    expect(policy.ages()).toEqual([{ fact: 'policy', ageMs: 0, limitMs: 3_600_000, failingMs: 0 }]);
    await rm(path);
    clock.now = 60_000;
    policy.ages();
    await expect
      .poll(() => {
        clock.now += 1_000;
        return policy.ages()[0]?.failingMs;
      })
      .toBeGreaterThan(0);
  });

  it('stays with the old policy when the new one is valid and does not fit', async () => {
    const accept = ({ freshPermissions }: { readonly freshPermissions: readonly string[] }): void => {
      if (freshPermissions.length > 0) {
        throw new TypeError('nothing here is fresh');
      }
    };
    const fresh = `${yaml('deploy:staging', '')}require:\n  deploy:production: { fresh: true }\n...\n`;
    const { held, change, logger } = await open({ accept });
    await change(fresh);
    expect(await held()).toEqual(both.toSorted());
    expect(logger.error).toHaveBeenCalledOnce();
    await expect(createFilePolicy({ path, accept })).rejects.toThrow('nothing here is fresh');
  });

  // Links need a privilege there, and nothing there turns them.
  it.skipIf(process.platform === 'win32')('follows the link that Kubernetes turns', async () => {
    const volume = async (name: string, text: string): Promise<void> => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'policy.yaml'), text);
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await volume('..2026_01_01', yaml("'deploy:*'"));
    await rm(path);
    await symlink(join('..data', 'policy.yaml'), path);
    const { held, decide, clock } = await open();
    expect(await decide('deploy:production')).toMatchObject({ allowed: true });

    await volume('..2026_01_02', yaml('deploy:staging'));
    await rm(join(folder, '..2026_01_01'), { recursive: true });
    clock.now += 1_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false });

    // Half of a new version is worth as much as none of it.
    await volume('..2026_01_03', yaml("'deploy:*'", ''));
    clock.now += 1_000;
    expect(await held()).toEqual(['deploy:staging']);
  });

  it('looks at the file once for all who ask at once', async () => {
    const { held, change } = await open();
    await change(yaml('deploy:staging'));
    for (const permissions of await Promise.all(Array.from({ length: 50 }, held))) {
      expect(permissions).toEqual(['deploy:staging']);
    }
  });

  it.each([
    ['path', { path: '' }],
    ['checkIntervalMs', { checkIntervalMs: -1 }],
    ['maxStaleMs', { maxStaleMs: 0.5 }],
  ])('does not start with a wrong %s', async (name, options) => {
    await expect(open(options)).rejects.toThrow(name);
  });

  it('does not start without its file', async () => {
    await rm(path);
    await expect(open()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
