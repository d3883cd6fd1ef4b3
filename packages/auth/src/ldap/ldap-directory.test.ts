import { describe, expect, it } from 'vitest';

import type { LdapDirectoryOptions } from './ldap-directory-options.ts';
import { openLdapDirectory } from './ldap-directory.ts';

const options: LdapDirectoryOptions = {
  urls: ['ldaps://directory.example.test'],
  bind: { dn: 'cn=svc,dc=test', password: 'secret' },
  users: { issuer: 'https://idp.example.test', baseDn: 'ou=people,dc=test', attribute: 'uid' },
  groups: { baseDn: 'ou=groups,dc=test', names: { 'cn=a,ou=groups,dc=test': 'a' } },
};
const { bind, users, groups } = options;

describe('openLdapDirectory', () => {
  it('starts without a connection, and closes', async () => {
    await using directory = await openLdapDirectory(options);
    expect(directory).toHaveProperty('groupsOf');
  });

  it.each<[string, Partial<LdapDirectoryOptions>]>([
    ['urls', { urls: [] }],
    ['urls', { urls: ['ldap://directory.example.test'] }],
    ['urls', { urls: ['ldap://127.0.0.1'] }],
    ['urls', { urls: ['ldap://directory.example.test'], allowCleartextOnLoopback: true }],
    ['urls', { urls: ['ldaps://a.test', 'ldap://b.test'] }],
    ['urls', { urls: ['https://directory.example.test'] }],
    ['urls', { urls: ['ldaps://cn=svc:secret@directory.example.test'] }],
    ['urls', { urls: ['ldaps://directory.example.test/dc=test??sub'] }],
    ['bind.dn', { bind: { ...bind, dn: '' } }],
    ['bind.dn', { bind: { ...bind, dn: 'svc' } }],
    ['bind.password', { bind: { ...bind, password: '' } }],
    ['users.baseDn', { users: { ...users, baseDn: 'people' } }],
    ['users.attribute', { users: { ...users, attribute: 'uid=*)(' } }],
    ['groups.baseDn', { groups: { ...groups, baseDn: 'groups' } }],
    ['groups.memberAttribute', { groups: { ...groups, memberAttribute: '' } }],
    ['groups.names', { groups: { ...groups, names: {} } }],
    ['groups.names', { groups: { ...groups, names: { platform: 'platform' } } }],
    ['groups.names', { groups: { ...groups, names: { 'cn=a': 'a', 'CN = A': 'b' } } }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['maxInFlight', { maxInFlight: 0 }],
  ])('does not start with wrong %s: %j', async (option, wrong) => {
    const error: unknown = await openLdapDirectory({ ...options, ...wrong }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain(option);
    expect(String(error)).not.toContain('secret');
  });
});
