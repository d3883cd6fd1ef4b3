import type { Directory } from '../directory/directory.ts';
import { isLoopback } from '../secure-url.ts';
import type { Principal } from '../tokens/principal.ts';
import { distinguishedNameKey } from './distinguished-name.ts';
import { createLdapConnection } from './ldap-connection.ts';
import type { LdapLogger } from './ldap-connection.ts';
import { loadLdapClient } from './ldap-session.ts';
import type { LdapSearch, LdapServer, LdapTlsOptions } from './ldap-session.ts';
import { findUser } from './ldap-user.ts';
import { createNestedGroups, findGroupPaths } from './nested-groups.ts';
import type { GroupStrategy } from './nested-groups.ts';

const ATTRIBUTE = /^[a-z][a-z0-9-]*$/i;

export interface LdapDirectoryOptions {
  /** `ldaps://host[:port]`, in order of preference: the next one is asked when one fails. */
  readonly urls: readonly string[];
  /** Encrypts `ldap://` before anything is said, or does not connect. @default false */
  readonly startTls?: boolean | undefined;
  /** Allows `ldap://` without encryption, to this machine only. @default false */
  readonly allowCleartextOnLoopback?: boolean | undefined;
  /** How servers prove who they are. @default the well-known authorities, and the URL's host as the name */
  readonly tls?: LdapTlsOptions | undefined;
  /** The account that searches: it needs to read users, their state and groups, and nothing else. */
  readonly bind: {
    readonly dn: string;
    /** Asked for at each sign-in when it is a function: a new password then needs no restart. */
    readonly password: string | (() => string | Promise<string>);
  };
  readonly users: {
    /** The issuer whose users these are. Those of another issuer are not known here, whatever their names. */
    readonly issuer: string;
    readonly baseDn: string;
    /** The attribute that names a user, such as `uid`. Compared as the directory does: as a rule, without case. */
    readonly attribute: string;
    /** What of a principal is in that attribute; `undefined` is nobody. @default the subject */
    readonly value?: ((principal: Principal) => string | undefined) | undefined;
    /** The object class that every user has. @default 'person' */
    readonly objectClass?: string | undefined;
  };
  readonly groups: {
    readonly baseDn: string;
    /** The names that groups have in the policy, by distinguished name. A group without one is left out. */
    readonly names: Readonly<Record<string, string>>;
    /** @default 'auto' */
    readonly strategy?: GroupStrategy | undefined;
    /** The attribute of a group that holds its members' names, for `walk` and `inChain`. @default 'member' */
    readonly memberAttribute?: string | undefined;
  };
  /** Deadline of connecting and signing in, and of each search, in milliseconds. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  /** Searches at once; the others wait. @default 50 */
  readonly maxInFlight?: number | undefined;
  /** Told when a server fails, once for each attempt that is made, and when it answers again. @default nobody */
  readonly logger?: LdapLogger | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** A group of a user by its name in the policy, and the groups that lead to it: none when it is direct. */
export interface LdapMembership {
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
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Asks an LDAP directory for a user's groups, nested ones included. Connects on the first question. The package
 * `ldapts` must be installed.
 * @throws TypeError or RangeError naming the option; TypeError without `ldapts`
 */
export async function openLdapDirectory(options: LdapDirectoryOptions): Promise<LdapDirectory> {
  const { users, groups, timeoutMs = 2_000, maxInFlight = 50, now = () => Date.now() } = options;
  if (!(timeoutMs >= 1)) throw new RangeError(`timeoutMs must be 1 or more, got ${timeoutMs}`);
  const { value = (principal: Principal) => principal.subject } = users;
  const userSearch = {
    base: checkName(users.baseDn, 'users.baseDn'),
    attribute: checkAttribute(users.attribute, 'users.attribute'),
    objectClass: users.objectClass ?? 'person',
  };
  const groupSearch = {
    base: checkName(groups.baseDn, 'groups.baseDn'),
    strategy: groups.strategy ?? 'auto',
    memberAttribute: checkAttribute(groups.memberAttribute ?? 'member', 'groups.memberAttribute'),
  };
  const nestedGroups = createNestedGroups(groupSearch);
  const names = readGroupNames(groups.names);
  const connection = createLdapConnection({
    servers: readServers(options),
    openSession: await loadLdapClient(),
    timeoutMs,
    maxInFlight,
    now,
    random: options.random ?? Math.random,
    logger: options.logger,
  });

  const searchUntil = (signal: AbortSignal) => (question: LdapSearch) => connection.search(question, signal);
  const nameOf = (dn: string): string | undefined => names.get(distinguishedNameKey(dn));

  async function userDnOf(principal: Principal, signal: AbortSignal): Promise<string | undefined> {
    const name = principal.issuer === users.issuer ? value(principal) : undefined;
    if (name === undefined || name === '') return undefined;
    return findUser(searchUntil(signal), userSearch, name);
  }

  async function namedGroups(userDn: string, signal: AbortSignal): Promise<readonly string[]> {
    const found = await nestedGroups(searchUntil(signal), userDn);
    return [...new Set(found.flatMap((dn) => nameOf(dn) ?? []))].toSorted();
  }

  const close = async (): Promise<void> => connection.close();
  return {
    async groupsOf(principal, { signal }) {
      const userDn = await userDnOf(principal, signal);
      return userDn === undefined ? [] : namedGroups(userDn, signal);
    },
    async membershipsOf(principal, { signal }) {
      const userDn = await userDnOf(principal, signal);
      if (userDn === undefined) return undefined;
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

function readServers(options: LdapDirectoryOptions): LdapServer[] {
  const { urls, bind, tls = {} } = options;
  if (urls.length === 0) throw new TypeError('urls must name a server');
  const dn = checkName(bind.dn, 'bind.dn');
  if (dn === '') throw new TypeError('bind.dn is required');
  if (bind.password === '') throw new TypeError('bind.password is empty');
  const { password } = bind;
  const secret = typeof password === 'string' ? () => password : password;
  return urls.map((text) => {
    const { protocol, hostname, port } = readUrl(text);
    return {
      host: hostname.replaceAll(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'ldaps:' ? 636 : 389) : Number(port),
      security: protocol === 'ldaps:' ? 'tls' : checkCleartext(hostname, text, options),
      tls,
      bind: { dn, password: secret },
    };
  });
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer =
    url !== undefined &&
    ['ldap:', 'ldaps:'].includes(url.protocol) &&
    url.hostname !== '' &&
    url.username === '';
  // RFC 4516 also has a base and a filter: they would be ignored here, so they are refused.
  if (!isServer || !['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new TypeError('urls must look like ldaps://host or ldaps://host:port');
  }
  return url;
}

function checkCleartext(hostname: string, url: string, options: LdapDirectoryOptions): 'startTls' | 'none' {
  if (options.startTls === true) return 'startTls';
  if (options.allowCleartextOnLoopback === true && isLoopback(hostname)) return 'none';
  throw new TypeError(
    `urls must use ldaps:// (or startTls; cleartext only on loopback, if allowed), got ${url}`,
  );
}

function readGroupNames(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const byKey = new Map<string, string>();
  for (const [dn, name] of Object.entries(names)) {
    const key = distinguishedNameKey(checkName(dn, 'groups.names'));
    if (byKey.has(key)) throw new TypeError(`groups.names has one group twice: ${dn}`);
    if (name === '') throw new TypeError(`groups.names has no name for ${dn}`);
    byKey.set(key, name);
  }
  if (byKey.size === 0) throw new TypeError('groups.names must name a group');
  return byKey;
}

function checkName(dn: string, option: string): string {
  try {
    distinguishedNameKey(dn);
    return dn;
  } catch (cause) {
    throw new TypeError(`${option} must be a distinguished name, got ${JSON.stringify(dn)}`, { cause });
  }
}

function checkAttribute(name: string, option: string): string {
  if (!ATTRIBUTE.test(name)) {
    throw new TypeError(`${option} must be an attribute's name, got ${JSON.stringify(name)}`);
  }
  return name;
}
