import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { authenticationSettings, openAuthentication, unauthenticatedAccess } from '../src/index.ts';
import { readSettings } from '../src/program/settings.ts';

const ISSUER = 'https://idp.example.test';
const { signal } = new AbortController();
const developer = { id: `${ISSUER}#ann`, kind: 'user', groups: ['developers'] } as const;
const scopes = ['deploy:read', 'deploy:staging'];
const caller = { ...developer, issuer: ISSUER, subject: 'ann', scopes, permissions: scopes } as const;

const policyOf = (allow: readonly string[], require: object = {}) =>
  JSON.stringify({
    version: 1,
    permissions: scopes,
    groups: ['developers'],
    grants: [{ group: 'developers', allow }],
    require,
  });
const fresh = { 'deploy:staging': { fresh: true } };

let folder: string;
let environment: Record<string, string>;
const logger = {
  debug: vi.fn<(fields: object, message: string) => void>(),
  info: vi.fn<(fields: object, message: string) => void>(),
  warn: vi.fn<(fields: object, message: string) => void>(),
  error: vi.fn<(fields: object, message: string) => void>(),
};
beforeEach(async () => {
  vi.clearAllMocks();
  folder = await mkdtemp(join(tmpdir(), 'mcp-policy-'));
  environment = {
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: 'https://mcp.example.test/mcp',
    POLICY_FILE: join(folder, 'policy.json'),
    DIRECTORY_FILE: join(folder, 'directory.json'),
  };
  await write('POLICY_FILE', policyOf(['deploy:*']));
  await write(
    'DIRECTORY_FILE',
    JSON.stringify({ version: 1, users: { [developer.id]: { groups: ['developers'] } } }),
  );
});
afterEach(() => rm(folder, { recursive: true }));

/** Replaces a file in one step, as editors and Kubernetes do. */
async function write(setting: 'POLICY_FILE' | 'DIRECTORY_FILE', text: string): Promise<void> {
  const path = environment[setting] ?? '';
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
const settings = (more: Record<string, string> = {}) =>
  readSettings(authenticationSettings, { ...environment, ...more });
/** Longer than a file goes unlooked at. */
const soon = { timeout: 10_000, interval: 100 };

describe('POLICY_FILE', () => {
  it('counts as it is now: a grant that is taken out is gone without a restart', async () => {
    await using authentication = await openAuthentication(settings(), logger);
    const decide = () => authentication.authorizer.decide(caller, 'deploy:staging', { signal });
    expect(await decide()).toMatchObject({ allowed: true });
    await write('POLICY_FILE', policyOf(['deploy:read']));
    await expect.poll(decide, soon).toMatchObject({ allowed: false, reason: 'missing_permission' });
  });

  it('that cannot be used leaves the last good one, is loud about it and shows its age', async () => {
    await using authentication = await openAuthentication(settings(), logger);
    const { authorizer, ages } = authentication;
    await write('POLICY_FILE', policyOf(['deploy:read']).slice(0, -2));
    const failing = () => ages().find(({ fact }) => fact === 'policy')?.failingMs;
    await expect.poll(failing, soon).toBeGreaterThan(0);
    expect(await authorizer.decide(caller, 'deploy:staging', { signal })).toMatchObject({ allowed: true });
    expect(logger.error).toHaveBeenCalledExactlyOnceWith(
      { path: environment['POLICY_FILE'], err: expect.any(TypeError) },
      expect.stringContaining('policy file not usable'),
    );
  });

  it('counts as it is now for a server that asks nobody who they are', async () => {
    const { authorizer, gate } = await unauthenticatedAccess(settings(), ['deploy:read'], logger);
    const decide = () => authorizer.decide(gate.unauthenticated, 'deploy:read', { signal });
    expect(await decide()).toMatchObject({ allowed: true });
    await write('POLICY_FILE', policyOf(['deploy:*'], { 'deploy:read': { allGroups: ['developers'] } }));
    await expect.poll(decide, soon).toMatchObject({ allowed: false, reason: 'missing_group' });
  });
});

describe('groups that only tokens name', () => {
  const byToken = { AUTH_GROUPS_CLAIM: 'groups' };
  const someoneElse = JSON.stringify({
    version: 1,
    users: { 'https://other.test#ann': { groups: ['developers'] } },
  });

  it('stop the start where the policy has something fresh: it could never be met', async () => {
    await write('POLICY_FILE', policyOf(['deploy:*'], fresh));
    await write('DIRECTORY_FILE', someoneElse);
    const opening = openAuthentication(settings(byToken), logger);
    await expect(opening).rejects.toThrow(/deploy:staging is fresh, which nobody can ever be/u);
  });

  it('are all right with a directory that knows these users, or without anything fresh', async () => {
    await write('POLICY_FILE', policyOf(['deploy:*'], fresh));
    await using first = await openAuthentication(settings(byToken), logger);
    expect(first.policy.freshPermissions).toEqual(['deploy:staging']);
    await write('POLICY_FILE', policyOf(['deploy:*']));
    await write('DIRECTORY_FILE', someoneElse);
    await using second = await openAuthentication(settings(byToken), logger);
    expect(second.policy.freshPermissions).toEqual([]);
  });

  it('keep a policy from being taken later that would have stopped the start', async () => {
    await write('DIRECTORY_FILE', someoneElse);
    await using authentication = await openAuthentication(settings(byToken), logger);
    await write('POLICY_FILE', policyOf(['deploy:*'], fresh));
    await expect
      .poll(async () => {
        await authentication.policy.current({ signal });
        return logger.error.mock.calls.length;
      }, soon)
      .toBe(1);
    expect(authentication.policy.freshPermissions).toEqual([]);
  });
});
