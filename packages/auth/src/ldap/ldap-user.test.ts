import { describe, expect, it } from 'vitest';

import { findUser } from './ldap-user.ts';

const users = { base: 'ou=people,dc=test', attribute: 'uid', objectClass: 'person' };

const withState = (attribute: string, value: string) =>
  findUser(async () => [{ dn: 'uid=a', values: new Map([[attribute, [value]]]) }], users, 'a');

describe('findUser', () => {
  it.each([
    ['disabled (Active Directory)', 'useraccountcontrol', '546'],
    ['locked (Active Directory)', 'msds-user-account-control-computed', '16'],
    ['locked (OpenLDAP)', 'pwdaccountlockedtime', '000001010000Z'],
    ['locked (389 Directory Server)', 'nsaccountlock', 'TRUE'],
    ['in a state that cannot be read', 'useraccountcontrol', 'x'],
  ])('refuses an account that is %s', async (_, attribute, value) => {
    await expect(withState(attribute, value)).rejects.toMatchObject({ code: 'access_denied' });
  });

  it.each([
    ['useraccountcontrol', '512'],
    ['msds-user-account-control-computed', '0'],
    ['nsaccountlock', 'FALSE'],
  ])('accepts an account whose %s is %s', async (attribute, value) => {
    expect(await withState(attribute, value)).toBe('uid=a');
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
