import { describe, expect, it, vi } from 'vitest';

import { createNestedGroups } from './nested-groups.ts';
import type { GroupStrategy } from './nested-groups.ts';
import { LdapLimitError, LdapResultError } from './session/ldap-errors.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';

// A real server is asked in test/ldap.test.ts; here stands what no server on this machine does.
const base = 'ou=groups,dc=test';
const user = 'uid=alice,dc=test';
type Search = (search: LdapSearch) => Promise<readonly LdapEntry[]>;

const entry = (dn: string, values: Record<string, readonly (string | Uint8Array)[]> = {}): LdapEntry => ({
  dn,
  values: new Map(Object.entries(values)),
});
const activeDirectory = entry('', { supportedcapabilities: ['1.2.840.113556.1.4.800'] });
const find = (search: Search, strategy: GroupStrategy) =>
  createNestedGroups({ base, strategy, memberAttribute: 'member' })(search, user);

/** Groups by their members, as a server finds them. */
function memberSearch(groupsOf: (member: string) => readonly string[]): Search {
  return async ({ filter }) =>
    filter.kind === 'any'
      ? filter.filters.flatMap((part) =>
          part.kind === 'equal' ? groupsOf(String(part.value)).map((dn) => entry(dn)) : [],
        )
      : [entry('')];
}

describe('Active Directory', () => {
  it('is asked for the identifiers of all groups at once, then for their names', async () => {
    const identifiers = Array.from({ length: 60 }, (_, index) => Buffer.from([1, 5, index]));
    const search = vi.fn<Search>(async ({ base, filter }) => {
      if (base === '') {
        return [activeDirectory];
      }
      if (base === user) {
        return [entry(user, { tokengroups: identifiers })];
      }
      return filter.kind === 'any'
        ? filter.filters.map((part) => entry(part.kind === 'equal' ? `cn=${part.value.at(-1)}` : 'cn=?'))
        : [];
    });
    expect(await find(search, 'auto')).toEqual(identifiers.map((_, index) => `cn=${index}`));
    const [, own, ...chunks] = search.mock.calls.map(([question]) => question);
    expect(own).toMatchObject({
      scope: 'base',
      attributes: ['tokenGroups'],
      binaryAttributes: ['tokenGroups'],
    });
    expect(chunks.map(({ filter }) => filter.kind === 'any' && filter.filters.length)).toEqual([50, 10]);
  });

  it('walks the chain itself when it is told to', async () => {
    const search = vi.fn<Search>(async (question) =>
      question.base === '' ? [activeDirectory] : [entry('cn=a')],
    );
    expect(await find(search, 'inChain')).toEqual(['cn=a']);
    expect(search.mock.lastCall?.[0].filter).toEqual({
      kind: 'matches',
      attribute: 'member',
      rule: '1.2.840.113556.1.4.1941',
      value: user,
    });
  });

  it('is asked what it is once, and again after a failure', async () => {
    const search = vi.fn<Search>(async ({ base }) => (base === '' ? [activeDirectory] : [entry(user)]));
    search.mockRejectedValueOnce(new Error('down'));
    const groups = createNestedGroups({ base, strategy: 'auto', memberAttribute: 'member' });
    await expect(groups(search, user)).rejects.toThrow('down');
    await groups(search, user);
    await groups(search, user);
    expect(search.mock.calls.filter(([{ base }]) => base === '')).toHaveLength(2);
  });

  it('is not what a server is that hides what it is', async () => {
    const walk = memberSearch((member) => (member === user ? ['cn=a'] : []));
    const search: Search = async (question) => {
      if (question.base === '') {
        throw new LdapResultError(32, { cause: undefined });
      }
      return walk(question);
    };
    expect(await find(search, 'auto')).toEqual(['cn=a']);
  });

  it.each(['tokenGroups', 'inChain'] as const)(
    'is needed for %s: others would find nothing',
    async (strategy) => {
      await expect(find(async () => [entry('')], strategy)).rejects.toThrow('needs Active Directory');
    },
  );

  it('gives the first part of a long list: that is not the truth', async () => {
    const search: Search = async () => [entry(user, { 'memberof;range=0-1499': ['cn=a'] })];
    await expect(find(search, 'memberOf')).rejects.toThrow(LdapLimitError);
  });
});

describe('walk', () => {
  it('goes ten levels deep and not further', async () => {
    const level = (member: string): number => Number(/^cn=(\d+)/.exec(member)?.[1] ?? 0);
    const chain = (length: number) =>
      memberSearch((member) => (level(member) < length ? [`cn=${level(member) + 1},${base}`] : []));
    expect(await find(chain(10), 'walk')).toHaveLength(10);
    await expect(find(chain(11), 'walk')).rejects.toThrow(LdapLimitError);
  });

  it('takes a thousand groups and not more', async () => {
    const wide = (count: number) =>
      memberSearch((member) => (member === user ? Array.from({ length: count }, (_, n) => `cn=${n}`) : []));
    expect(await find(wide(1_000), 'walk')).toHaveLength(1_000);
    await expect(find(wide(1_001), 'walk')).rejects.toThrow(LdapLimitError);
  });

  it('ends in a cycle, however the names are spelled', async () => {
    const next: Record<string, string> = { [user]: 'cn=a', 'cn=a': 'CN=B', 'CN=B': 'CN=a', 'CN=a': 'cn=b' };
    expect(
      await find(
        memberSearch((member) => [next[member] ?? 'cn=a']),
        'walk',
      ),
    ).toEqual(['cn=a', 'CN=B']);
  });

  it('keeps apart two groups with one name in two places', async () => {
    const groups = ['cn=ops,ou=a', 'cn=ops,ou=b'];
    expect(
      await find(
        memberSearch((member) => (member === user ? groups : [])),
        'walk',
      ),
    ).toEqual(groups);
  });
});

describe('memberOf', () => {
  it.each([[[]], [['cn=a']], [['cn=a', 'cn=b']]])('takes none, one and several: %j', async (groups) => {
    const values: Record<string, readonly string[]> = groups.length === 0 ? {} : { memberof: groups };
    expect(await find(async () => [entry(user, values)], 'memberOf')).toEqual(groups);
  });

  it('does not take a user who is gone for one without groups', async () => {
    await expect(find(async () => [], 'memberOf')).rejects.toThrow('removed');
  });
});
