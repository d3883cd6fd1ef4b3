import { keyOfFoundName } from './distinguished-name.ts';
import { LdapLimitError, LdapResultError } from './session/ldap-errors.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';
import { ANY_ENTRY } from './session/ldap-filter.ts';
import type { LdapFilter } from './session/ldap-filter.ts';

/**
 * How a user's groups are found.
 * - `tokenGroups`: Active Directory computes them, nested ones and the primary group included. One cheap search.
 * - `inChain`: Active Directory walks membership in one search; slow with large groups.
 * - `walk`: we do, level by level. For every other server.
 * - `memberOf`: what the user's entry says. Nested groups only if the server puts them there.
 * - `auto`: `tokenGroups` if the server says that it is Active Directory, else `walk`.
 */
export type GroupStrategy = 'auto' | 'tokenGroups' | 'inChain' | 'walk' | 'memberOf';

/** Where groups are. */
export interface GroupSearch {
  readonly base: string;
  readonly strategy: GroupStrategy;
  /** The attribute of a group that holds its members' names. */
  readonly memberAttribute: string;
}

type Search = (search: LdapSearch) => Promise<readonly LdapEntry[]>;
type Nested = (search: Search, userDn: string) => Promise<readonly string[]>;

const MAX_GROUPS = 1_000;
const MAX_DEPTH = 10;
/** Names per filter: servers limit its size. */
const CHUNK = 50;
/** supportedCapabilities, MS-ADTS §3.1.1.3.4.3.1: this server is Active Directory. */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800';
/** LDAP_MATCHING_RULE_IN_CHAIN, MS-ADTS §3.1.1.3.4.4.3. Other servers find nothing with it and say that all is well. */
const IN_CHAIN = '1.2.840.113556.1.4.1941';

/** Finds the names of all groups that the user with the name `userDn` is in, directly or through other groups. */
export function createNestedGroups(groups: GroupSearch): Nested {
  /** What the server is does not change; a failed question is asked again. */
  let isActiveDirectory: boolean | undefined;

  async function knowsActiveDirectory(search: Search): Promise<boolean> {
    isActiveDirectory ??= (await readRootDse(search)).includes(ACTIVE_DIRECTORY);
    return isActiveDirectory;
  }

  return async (search, userDn) => {
    switch (groups.strategy) {
      case 'memberOf':
        return memberOf(search, userDn);
      case 'walk':
        return walk(search, userDn, groups);
      case 'auto':
        return (await knowsActiveDirectory(search))
          ? tokenGroups(search, userDn, groups)
          : walk(search, userDn, groups);
      case 'tokenGroups':
      case 'inChain':
        if (!(await knowsActiveDirectory(search))) {
          throw new TypeError(`groups.strategy ${groups.strategy} needs Active Directory`);
        }
        return groups.strategy === 'inChain'
          ? inChain(search, userDn, groups)
          : tokenGroups(search, userDn, groups);
      default:
        return groups.strategy satisfies never;
    }
  };
}

async function readRootDse(search: Search): Promise<readonly (string | Uint8Array)[]> {
  const question = { base: '', scope: 'base', filter: ANY_ENTRY, maxEntries: 1 } as const;
  try {
    const [root] = await search({ ...question, attributes: ['supportedCapabilities'] });
    return root?.values.get('supportedcapabilities') ?? [];
  } catch (error) {
    // Some servers hide it, as noSuchObject (32) or insufficientAccessRights (50). Active Directory does not.
    if (error instanceof LdapResultError && [32, 50].includes(error.resultCode)) {
      return [];
    }
    throw error;
  }
}

async function memberOf(search: Search, userDn: string): Promise<readonly string[]> {
  return (await readUserValues(search, userDn, 'memberOf')).map(String);
}

async function inChain(search: Search, userDn: string, groups: GroupSearch): Promise<readonly string[]> {
  const { memberAttribute: attribute } = groups;
  return searchGroups(search, groups, { kind: 'matches', attribute, rule: IN_CHAIN, value: userDn });
}

/** The user's security identifiers of groups, and then the names that these have. */
async function tokenGroups(search: Search, userDn: string, groups: GroupSearch): Promise<readonly string[]> {
  const identifiers = await readUserValues(search, userDn, 'tokenGroups', { isBinary: true });
  return searchChunks(search, groups, identifiers, 'objectSid');
}

async function walk(search: Search, userDn: string, groups: GroupSearch): Promise<readonly string[]> {
  return climb([userDn], (level) => searchChunks(search, groups, level, groups.memberAttribute));
}

/** A group, and those that lead to it from the user: none when the membership is direct. */
export interface GroupPath {
  readonly dn: string;
  readonly via: readonly string[];
}

/** As `walk`, with the shortest way to each group. Asks once per group: for people who want to know why. */
export async function findGroupPaths(
  search: Search,
  userDn: string,
  groups: GroupSearch,
): Promise<readonly GroupPath[]> {
  const viaOf = new Map<string, readonly string[]>();
  const found = await climb([userDn], async (level) => {
    const next: string[] = [];
    for (const member of level) {
      const via = member === userDn ? [] : [...(viaOf.get(member) ?? []), member];
      for (const dn of await searchChunks(search, groups, [member], groups.memberAttribute)) {
        if (!viaOf.has(dn)) {
          viaOf.set(dn, via);
        }
        next.push(dn);
      }
    }
    return next;
  });
  return found.map((dn) => ({ dn, via: viaOf.get(dn) ?? [] }));
}

/** Breadth first. A group that was seen is not asked about again, so a cycle ends. */
async function climb(
  start: readonly string[],
  findParents: (level: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const found = new Map<string, string>();
  let level = start;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new LdapLimitError(`groups are nested deeper than ${MAX_DEPTH} levels`);
    }
    const next: string[] = [];
    for (const dn of await findParents(level)) {
      const key = keyOfFoundName(dn);
      if (found.has(key)) {
        continue;
      }
      found.set(key, dn);
      next.push(dn);
      if (found.size > MAX_GROUPS) {
        throw tooManyGroups();
      }
    }
    level = next;
  }
  return [...found.values()];
}

/** Groups where `attribute` has one of `values`. */
async function searchChunks(
  search: Search,
  groups: GroupSearch,
  values: readonly (string | Uint8Array)[],
  attribute: string,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (let start = 0; start < values.length; start += CHUNK) {
    const filters = values
      .slice(start, start + CHUNK)
      .map((value): LdapFilter => ({ kind: 'equal', attribute, value }));
    names.push(...(await searchGroups(search, groups, { kind: 'any', filters })));
  }
  return names;
}

async function searchGroups(search: Search, { base }: GroupSearch, filter: LdapFilter): Promise<string[]> {
  const entries = await search({ base, scope: 'sub', filter, attributes: [], maxEntries: MAX_GROUPS });
  return entries.map(({ dn }) => dn);
}

async function readUserValues(
  search: Search,
  userDn: string,
  attribute: string,
  { isBinary = false } = {},
): Promise<readonly (string | Uint8Array)[]> {
  const [user] = await search({
    base: userDn,
    // The only scope that Active Directory computes tokenGroups for.
    scope: 'base',
    filter: ANY_ENTRY,
    attributes: [attribute],
    binaryAttributes: isBinary ? [attribute] : [],
    maxEntries: 1,
  });
  if (user === undefined) {
    throw new Error('the user was removed between two searches');
  }
  const key = attribute.toLowerCase();
  // MS-ADTS §3.1.1.3.1.3.3: `memberOf;range=0-1499` is the first part of a long list.
  if ([...user.values.keys()].some((name) => name.startsWith(`${key};`))) {
    throw tooManyGroups();
  }
  const values = user.values.get(key) ?? [];
  if (values.length > MAX_GROUPS) {
    throw tooManyGroups();
  }
  return values;
}

function tooManyGroups(): LdapLimitError {
  return new LdapLimitError(`a user is in more than ${MAX_GROUPS} groups`);
}
