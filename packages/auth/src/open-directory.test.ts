import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Directory, DirectoryLogger } from './directory/directory.ts';
import { openDirectory } from './open-directory.ts';

const issuer = 'https://idp.example.test';
const ldap = {
  urls: ['ldaps://directory.example.test'],
  bind: { dn: 'cn=svc,dc=test' },
  users: { baseDn: 'ou=people,dc=test', attribute: 'uid' },
  groups: { baseDn: 'ou=groups,dc=test', names: { 'cn=a,dc=test': 'a' } },
};

let path: string;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'directory-'));
  path = join(folder, 'directory.yaml');
});
afterEach(() => rm(folder, { recursive: true }));

async function open(document: object, password?: string) {
  await writeFile(path, JSON.stringify(document));
  return openDirectory({ path, issuer, ...(password !== undefined && { password }) });
}

describe('openDirectory', () => {
  it('takes the users of the file', async () => {
    await using directory = await open({
      version: 1,
      users: { [`${issuer}#alice`]: { groups: ['platform'] } },
    });
    const alice = {
      id: `${issuer}#alice`,
      issuer,
      subject: 'alice',
      kind: 'user',
      scopes: [],
      expiresAt: 0,
    } as const;
    const { signal } = new AbortController();
    expect(await directory.groupsOf(alice, { signal })).toEqual(['platform']);
  });

  it('takes the LDAP directory that the file describes', async () => {
    await using directory = await open({ version: 1, ldap }, 'secret');
    expect(directory).toHaveProperty('close');
  });

  it.each([
    ['no password', { version: 1, ldap }, undefined, 'password is required'],
    ['users beside it', { version: 1, ldap, users: {} }, 'secret', 'Unrecognized key: "users"'],
    [
      'a password in the file',
      { version: 1, ldap: { ...ldap, bind: { ...ldap.bind, password: 'x' } } },
      's',
      'ldap.bind',
    ],
    ['a setting that does not exist', { version: 1, ldap: { ...ldap, url: 'x' } }, 's', '"url"'],
    [
      'cleartext',
      { version: 1, ldap: { ...ldap, urls: ['ldap://directory.example.test'] } },
      's',
      'ldaps://',
    ],
    [
      'authorities that are not there',
      { version: 1, ldap: { ...ldap, caFile: '/nowhere/ca.pem' } },
      's',
      '/nowhere',
    ],
  ])('does not start with an LDAP directory and %s', async (_, document, password, problem) => {
    await expect(open(document, password)).rejects.toThrow(problem);
  });

  describe('follows its file', () => {
    const alice = {
      id: `${issuer}#alice`,
      issuer,
      subject: 'alice',
      kind: 'user',
      scopes: [],
      expiresAt: 0,
    } as const;
    const { signal } = new AbortController();
    const users = { version: 1, users: { [alice.id]: { groups: ['platform'] } } };
    /** Longer than a file goes unlooked at. */
    const soon = { timeout: 10_000, interval: 100 };
    const write = async (document: object): Promise<void> => {
      await writeFile(`${path}.new`, JSON.stringify(document));
      await rename(`${path}.new`, path);
    };
    const ask = (directory: Directory) =>
      directory.groupsOf(alice, { signal }).catch((error: unknown) => String(error));

    it('from users to an LDAP directory and back', async () => {
      await using directory = await open(users, 'secret');
      expect(await ask(directory)).toEqual(['platform']);
      expect(directory.knowsIssuer?.('https://elsewhere.test')).toBe(false);
      // Nobody listens there.
      const nowhere = { ...ldap, urls: ['ldap://127.0.0.1:1'], allowCleartextOnLoopback: true };
      await write({ version: 1, ldap: nowhere });
      await expect.poll(() => ask(directory), soon).toContain('LdapUnreachableError');
      await write(users);
      await expect.poll(() => ask(directory), soon).toEqual(['platform']);
    });

    it.each([
      ['a setting that does not exist', { version: 1, ldap: { ...ldap, url: 'x' } }],
      ['cleartext', { version: 1, ldap: { ...ldap, urls: ['ldap://directory.example.test'] } }],
    ])('not to an LDAP directory with %s: nothing is known then', async (_, document) => {
      const error = vi.fn<DirectoryLogger['error']>();
      await writeFile(path, JSON.stringify(users));
      const logger = { info: () => undefined, error };
      await using directory = await openDirectory({ path, issuer, password: 'secret', logger });
      await write(document);
      await expect.poll(() => ask(directory), soon).toContain('the directory file is not usable');
      expect(error).toHaveBeenCalledOnce();
    });

    it('also where it names an LDAP directory: while it is removed, nothing is known', async () => {
      await using directory = await open({ version: 1, ldap }, 'secret');
      await rm(path);
      await expect.poll(() => directory.ages?.()[0]?.failingMs, soon).toBeGreaterThan(0);
      expect(await ask(directory)).toContain('the directory file is not usable');
    });
  });
});
