import { describe, expect, it } from 'vitest';

import { groupsFromClaims } from './group-claim.ts';

const read = (claims: Record<string, unknown>, names?: Readonly<Record<string, string>>) =>
  groupsFromClaims(claims, { claim: 'groups', ...(names && { names }) });

describe('groupsFromClaims', () => {
  it.each([
    ['an array', { groups: ['a', 'b', 'a'] }, ['a', 'b']],
    ['one bare name, which is not split', { groups: 'Site Owners, all' }, ['Site Owners, all']],
    ['an empty array', { groups: [] }, []],
    ['no claim', {}, undefined],
    ['a claim of another name', { roles: ['a'] }, undefined],
    ['a claim that is elsewhere', { _claim_names: { groups: 'src1' } }, 'overage'],
    ['groups that were too many for the URL', { hasgroups: true }, 'overage'],
    ['groups that were too many, said as a text', { hasgroups: 'true' }, 'overage'],
    ['groups that were not too many', { groups: ['a'], hasgroups: 'false' }, ['a']],
    ['names of claims that are elsewhere, as a text', { _claim_names: '{"groups":"src1"}' }, 'overage'],
    ['another claim that is elsewhere', { groups: ['a'], _claim_names: { roles: 'src1' } }, ['a']],
    ['a part here and the rest elsewhere', { groups: ['a'], _claim_names: { groups: 'src1' } }, 'overage'],
  ])('reads %s', (_, claims, groups) => expect(read(claims)).toEqual(groups));

  it('gives groups the names they have in the policy, and drops the others', () => {
    const names = { '0a1b': 'platform' };
    expect(read({ groups: ['0a1b', 'ffff', 'toString'] }, names)).toEqual(['platform']);
    expect(read({ groups: '0a1b' }, names)).toEqual(['platform']);
  });

  it('takes null for absent', () => expect(read({ groups: null })).toBeUndefined());

  it('finds a claim by its path, after one of just that name', () => {
    const readPath = (claims: Record<string, unknown>) =>
      groupsFromClaims(claims, { claim: 'realm_access.roles' });
    expect(readPath({ realm_access: { roles: ['platform'] } })).toEqual(['platform']);
    expect(readPath({ 'realm_access.roles': ['own'], realm_access: { roles: ['platform'] } })).toEqual([
      'own',
    ]);
    expect(
      groupsFromClaims(
        { resource_access: { 'my.app': { roles: ['a'] } } },
        { claim: 'resource_access.my.app.roles' },
      ),
    ).toEqual(['a']);
    expect(readPath({ realm_access: null })).toBeUndefined();
    expect(readPath({ realm_access: 'roles' })).toBeUndefined();
    expect(groupsFromClaims({}, { claim: 'constructor.name' })).toBeUndefined();
  });

  it.each([
    [1],
    [''],
    [{ a: true }],
    [['a', 1]],
    [['a', '']],
    [['a\nb']],
    [['a\u202Eb']],
    [['a\u200Bb']],
    [['a\uD800']],
    ['\uFFFD'],
    [[['a']]],
    [Array(1_001).fill('a')],
  ])('refuses %j', (groups) => expect(() => read({ groups })).toThrow('unusable claims groups'));
});
