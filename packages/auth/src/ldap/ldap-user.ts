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
 * The name of the one entry for `value`; `undefined` when there is none.
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
  const [user, ...others] = await search({
    base,
    scope: 'sub',
    filter: { kind: 'all', filters },
    attributes: ACCOUNT_STATE_ATTRIBUTES,
    maxEntries: 100,
  });
  // Nobody can say which one the token means.
  if (others.length > 0) {
    throw denied('several entries of the directory have the name of this account');
  }
  if (user !== undefined && isBarred(user, now())) {
    throw denied('the account is disabled, locked or expired in the directory');
  }
  return user?.dn;
}

function denied(message: string): AuthError {
  return new AuthError('access_denied', { message });
}
