import { AuthError } from '../errors.ts';
import { ACCOUNT_STATE_ATTRIBUTES, isBarred } from './account-state.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';
import type { LdapFilter } from './session/ldap-filter.ts';

/** Where users are. */
export interface UserSearch {
  readonly base: string;
  /** The attribute that names a user. */
  readonly attribute: string;
  readonly objectClass: string;
}

/**
 * The name of the one entry for `value`; `undefined` when there is none. Directories take more for the same than a change of
 * case: width, accents, spaces. Issuers do not, so two of their people could be one here: an entry that shows another
 * spelling is not theirs.
 * @throws {AuthError} `access_denied` when there are several, or the account is disabled, locked or expired; as `search` does
 */
export async function findUser(
  search: (search: LdapSearch) => Promise<readonly LdapEntry[]>,
  { base, attribute, objectClass }: UserSearch,
  value: string,
  now: () => number = Date.now,
): Promise<string | undefined> {
  const filters: LdapFilter[] = [
    { kind: 'equal', attribute: 'objectClass', value: objectClass },
    { kind: 'equal', attribute, value },
  ];
  const found = await search({
    base,
    scope: 'sub',
    filter: { kind: 'all', filters },
    attributes: [...ACCOUNT_STATE_ATTRIBUTES, attribute],
    maxEntries: 100,
  });
  const [user, ...others] = found.filter((entry) => isNamed(entry, attribute, value));
  // Nobody can say which one the token means.
  if (others.length > 0) {
    throw denied('several entries of the directory have the name of this account');
  }
  if (user !== undefined && isBarred(user, now())) {
    throw denied('the account is disabled, locked or expired in the directory');
  }
  return user?.dn;
}

/** Where the entry does not show its name, for who asks may not read it, the directory's word counts. */
function isNamed({ values }: LdapEntry, attribute: string, value: string): boolean {
  const names = values.get(attribute.toLowerCase());
  const plain = (name: string): string => name.normalize('NFC').toLowerCase();
  return names === undefined || names.some((name) => plain(String(name)) === plain(value));
}

function denied(message: string): AuthError {
  return new AuthError('access_denied', { message });
}
