import { describe, expect, it } from 'vitest';

import { findUser } from './ldap-user.ts';

const users = { base: 'ou=people,dc=test', attribute: 'uid', objectClass: 'person' };

/** 2026-01-01. */
const NOW = 1_767_225_600_000;
/** The same as a FILETIME of Windows, and as a day since 1970. */
const NOW_FILETIME = 134_116_992_000_000_000n;
const NOW_DAY = 20_454;

const withState = (attribute: string, value: string) =>
  findUser(
    async () => [{ dn: 'uid=a', values: new Map([[attribute.toLowerCase(), [value]]]) }],
    users,
    'a',
    () => NOW,
  );

describe('findUser', () => {
  it.each([
    ['disabled (Active Directory)', 'userAccountControl', '546'],
    ['disabled, in a negative number', 'userAccountControl', '-2147483134'],
    ['locked (Active Directory)', 'msDS-User-Account-Control-Computed', '16'],
    ['locked (OpenLDAP)', 'pwdAccountLockedTime', '000001010000Z'],
    ['locked since a while (OpenLDAP)', 'pwdAccountLockedTime', '20250101000000Z'],
    ['locked (389 Directory Server)', 'nsAccountLock', 'TRUE'],
    ['locked until later (389 Directory Server)', 'accountUnlockTime', '20260101000001Z'],
    ['locked until somebody unlocks it (389 Directory Server)', 'accountUnlockTime', '19700101000000Z'],
    ['disabled (eDirectory)', 'loginDisabled', 'TRUE'],
    ['locked (eDirectory)', 'lockedByIntruder', 'TRUE'],
    ['locked (IBM)', 'ibm-pwdAccountLocked', 'true'],
    ['expired (Active Directory)', 'accountExpires', '132223104000000000'],
    ['expired in this moment', 'accountExpires', String(NOW_FILETIME)],
    ['expired (FreeIPA)', 'krbPrincipalExpiration', '20260101000000Z'],
    ['expired (password policy)', 'pwdEndTime', '20260101013000+0130'],
    ['not valid yet (password policy)', 'pwdStartTime', '20260102000000Z'],
    ['expired (shadow)', 'shadowExpire', String(NOW_DAY)],
    ['expired on the first day of 1970 (shadow)', 'shadowExpire', '0'],
    ['in a state that cannot be read', 'userAccountControl', 'x'],
    ['in a state that is empty', 'userAccountControl', ''],
    ['to expire at a time that cannot be read', 'accountExpires', '2020-01-01'],
    ['to expire at a time that is none', 'krbPrincipalExpiration', 'never'],
  ])('refuses an account that is %s', async (_, attribute, value) => {
    await expect(withState(attribute, value)).rejects.toMatchObject({ code: 'access_denied' });
  });

  it.each([
    ['userAccountControl', '512'],
    ['msDS-User-Account-Control-Computed', '0'],
    ['nsAccountLock', 'FALSE'],
    ['accountExpires', '0'],
    ['accountExpires', '9223372036854775807'],
    ['accountExpires', String(NOW_FILETIME + 10_000n)],
    ['accountUnlockTime', '20260101000000Z'],
    ['krbPrincipalExpiration', '20260101000000.5-0001'],
    ['pwdStartTime', '2026010100Z'],
    ['pwdEndTime', '202601010001Z'],
    ['shadowExpire', '-1'],
    ['shadowExpire', String(NOW_DAY + 1)],
  ])('accepts an account whose %s is %s', async (attribute, value) => {
    expect(await withState(attribute, value)).toBe('uid=a');
  });

  it.each([
    ['the same', 'jürgen', ['jürgen']],
    ['in another case', 'JÜRGEN', ['jürgen']],
    ['composed in another way', 'ju\u0308rgen', ['jürgen']],
    ['one of several', 'jürgen', ['j.k', 'jürgen']],
  ])('takes the entry whose name is %s', async (_, value, names) => {
    const entry = { dn: 'uid=a', values: new Map([['uid', names]]) };
    expect(await findUser(async () => [entry], users, value)).toBe('uid=a');
  });

  it('does not take an entry of another name for one that a directory finds equal', async () => {
    const entry = (dn: string, uid: string) => ({ dn, values: new Map([['uid', [uid]]]) });
    const search = async () => [entry('uid=1', 'jurgen'), entry('uid=2', 'jürgen')];
    expect(await findUser(search, users, 'jürgen')).toBe('uid=2');
    expect(await findUser(search, users, 'jurgén')).toBeUndefined();
  });

  it('asks for exactly the value, whatever is in it', async () => {
    const questions: unknown[] = [];
    const value = 'x)(uid=alice*\\\0';
    await findUser(async (question) => (questions.push(question.filter), []), users, value);
    expect(questions).toEqual([
      {
        kind: 'all',
        filters: [
          { kind: 'equal', attribute: 'objectClass', value: 'person' },
          { kind: 'equal', attribute: 'uid', value },
        ],
      },
    ]);
  });
});
