import { AuthError } from '../errors.ts';
import type { LdapFilter } from './ldap-filter.ts';
import type { LdapEntry, LdapSearch } from './ldap-session.ts';

/** Where users are. */
export interface UserSearch {
  readonly base: string;
  /** The attribute that names a user. */
  readonly attribute: string;
  readonly objectClass: string;
}

/** What servers write into the entry of an account that may not sign in. They send these only when asked by name. */
const STATE_ATTRIBUTES = [
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'pwdAccountLockedTime',
  'nsAccountLock',
];
/** ADS_UF_ACCOUNTDISABLE and ADS_UF_LOCKOUT, MS-ADTS §2.2.16; the second one is in the computed attribute only. */
const BARRED_FLAGS = 0x2 | 0x10;

/**
 * The name of the one entry for `value`; `undefined` when there is none.
 * @throws {AuthError} `access_denied` when there are several, or the account is disabled or locked; as `search` does
 */
export async function findUser(
  search: (search: LdapSearch) => Promise<readonly LdapEntry[]>,
  { base, attribute, objectClass }: UserSearch,
  value: string,
): Promise<string | undefined> {
  const filters: LdapFilter[] = [
    { kind: 'equal', attribute: 'objectClass', value: objectClass },
    { kind: 'equal', attribute, value },
  ];
  const [user, ...others] = await search({
    base,
    scope: 'sub',
    filter: { kind: 'all', filters },
    attributes: STATE_ATTRIBUTES,
    maxEntries: 100,
  });
  // Nobody can say which one the token means.
  if (others.length > 0) {
    throw denied('several entries of the directory have the name of this account');
  }
  if (user !== undefined && isBarred(user)) {
    throw denied('the account is disabled or locked in the directory');
  }
  return user?.dn;
}

function isBarred({ values }: LdapEntry): boolean {
  const hasFlag = ['useraccountcontrol', 'msds-user-account-control-computed'].some((name) =>
    (values.get(name) ?? []).some((value) => {
      const flags = Number(value);
      // What is no number cannot be read as "not barred".
      return !Number.isInteger(flags) || (flags & BARRED_FLAGS) !== 0;
    }),
  );
  const isLocked = (values.get('nsaccountlock') ?? []).some(
    (value) => String(value).toLowerCase() === 'true',
  );
  // draft-behera-ldap-password-policy-11 §5.3.3: any value means locked.
  return hasFlag || isLocked || values.has('pwdaccountlockedtime');
}

function denied(message: string): AuthError {
  return new AuthError('access_denied', { message });
}
