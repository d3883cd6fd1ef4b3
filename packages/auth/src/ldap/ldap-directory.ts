import type { Directory } from '../directory/directory.ts';
import type { Principal } from '../tokens/principal.ts';
import { keyOfFoundName } from './distinguished-name.ts';
import { createLdapConnection } from './ldap-connection.ts';
import { resolveLdapDirectoryOptions } from './ldap-directory-options.ts';
import type { LdapDirectoryOptions } from './ldap-directory-options.ts';
import { findUser } from './ldap-user.ts';
import { createNestedGroups, findGroupPaths } from './nested-groups.ts';
import type { LdapSearch } from './session/ldap-exchange.ts';
import { loadLdapClient } from './session/ldap-session.ts';

/** A group of a user by its name in the policy, and the groups that lead to it: none when it is direct. */
export interface LdapMembership {
  /** The name in the policy. */
  readonly group: string;
  /** Names in the policy where groups have one, else distinguished names; from the user on. */
  readonly via: readonly string[];
}

/** A directory with connections to close. */
export interface LdapDirectory extends Directory {
  /**
   * The same groups and how the principal comes to them, for an operator who asks why; `undefined` when it is not
   * known here. Asks once per group, and walks whatever the strategy is.
   */
  readonly membershipsOf: (
    principal: Principal,
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly LdapMembership[] | undefined>;
  /** Cuts all connections; what is being asked fails. */
  readonly close: () => Promise<void>;
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Asks an LDAP directory for a user's groups, nested ones included. Connects on the first question. The package
 * `ldapts` must be installed.
 * @throws {TypeError} naming the option; also without `ldapts`
 * @throws {RangeError} naming the number
 */
export async function openLdapDirectory(options: LdapDirectoryOptions): Promise<LdapDirectory> {
  const resolved = resolveLdapDirectoryOptions(options);
  const { issuer, valueOf, userSearch, groupSearch, groupNames } = resolved;
  const nestedGroups = createNestedGroups(groupSearch);
  const connection = createLdapConnection({ ...resolved, openSession: await loadLdapClient() });

  const searchUntil = (signal: AbortSignal) => (question: LdapSearch) => connection.search(question, signal);
  const nameOf = (dn: string): string | undefined => groupNames.get(keyOfFoundName(dn));

  async function userDnOf(principal: Principal, signal: AbortSignal): Promise<string | undefined> {
    const name = principal.issuer === issuer ? valueOf(principal) : undefined;
    if (name === undefined || name === '') {
      return undefined;
    }
    return findUser(searchUntil(signal), userSearch, name, resolved.now);
  }

  async function namedGroups(userDn: string, signal: AbortSignal): Promise<readonly string[]> {
    const found = await nestedGroups(searchUntil(signal), userDn);
    return [...new Set(found.flatMap((dn) => nameOf(dn) ?? []))].toSorted();
  }

  const close = async (): Promise<void> => connection.close();
  return {
    knowsIssuer: (asked) => asked === issuer,
    async groupsOf(principal, { signal }) {
      const userDn = await userDnOf(principal, signal);
      return userDn === undefined ? [] : namedGroups(userDn, signal);
    },
    async membershipsOf(principal, { signal }) {
      const userDn = await userDnOf(principal, signal);
      if (userDn === undefined) {
        return undefined;
      }
      const paths = await findGroupPaths(searchUntil(signal), userDn, groupSearch);
      return (await namedGroups(userDn, signal)).map((group) => {
        const via = paths.find(({ dn }) => nameOf(dn) === group)?.via ?? [];
        return { group, via: via.map((dn) => nameOf(dn) ?? dn) };
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
