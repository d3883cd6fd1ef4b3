import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

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
});
