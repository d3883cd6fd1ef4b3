import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import type { DirectoryLogger } from '../directory/directory.ts';
import { checkIssuerName, isLoopback } from '../secure-url.ts';
import type { Principal } from '../tokens/principal.ts';
import { distinguishedNameKey } from './distinguished-name.ts';
import type { UserSearch } from './ldap-user.ts';
import type { GroupSearch, GroupStrategy } from './nested-groups.ts';
import type { LdapServer, LdapTlsOptions } from './session/ldap-transport.ts';

const ATTRIBUTE = /^[a-z][a-z0-9-]*$/i;

/** Which servers are asked, as whom, and where users and groups are. */
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
    /** Its distinguished name. */
    readonly dn: string;
    /** Asked for at each sign-in when it is a function: a new password then needs no restart. */
    readonly password: string | (() => string | Promise<string>);
  };
  /** Where users are, and which of them a principal is. */
  readonly users: {
    /** The issuer whose users these are. Those of another issuer are not known here, whatever their names. */
    readonly issuer: string;
    /** The entry that they are all below. */
    readonly baseDn: string;
    /** The attribute that names a user, such as `uid`. Compared without case; else it must be spelled as the directory has it. */
    readonly attribute: string;
    /** What of a principal is in that attribute; `undefined` is nobody. @default the subject */
    readonly value?: ((principal: Principal) => string | undefined) | undefined;
    /** The object class that every user has. @default 'person' */
    readonly objectClass?: string | undefined;
  };
  /** Where groups are, and what the policy calls them. */
  readonly groups: {
    /** The entry that they are all below. */
    readonly baseDn: string;
    /** The names that groups have in the policy, by distinguished name. A group without one is left out. */
    readonly names: Readonly<Record<string, string>>;
    /** How a user's groups are found. @default 'auto' */
    readonly strategy?: GroupStrategy | undefined;
    /** The attribute of a group that holds its members' names, for `walk` and `inChain`. @default 'member' */
    readonly memberAttribute?: string | undefined;
  };
  /** Deadline of connecting and signing in, and of each search, in milliseconds: 1 to 2_147_483_647. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  /** Searches at once, 1 to 10_000; the others wait. @default 50 */
  readonly maxInFlight?: number | undefined;
  /** Told when a server fails, once for each attempt that is made, and when it answers again. @default nobody */
  readonly logger?: DirectoryLogger | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** {@link LdapDirectoryOptions} with its defaults, checked and taken apart by who needs what. */
export interface ResolvedLdapDirectoryOptions {
  readonly issuer: string;
  /** What of a principal is in the attribute that names users. */
  readonly valueOf: (principal: Principal) => string | undefined;
  readonly userSearch: UserSearch;
  readonly groupSearch: GroupSearch;
  /** What the policy calls a group, by the key of its distinguished name. */
  readonly groupNames: ReadonlyMap<string, string>;
  readonly servers: readonly LdapServer[];
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly logger: DirectoryLogger | undefined;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function resolveLdapDirectoryOptions(options: LdapDirectoryOptions): ResolvedLdapDirectoryOptions {
  const { users, groups, timeoutMs = 2_000, maxInFlight = 50 } = options;
  checkWhole('timeoutMs', timeoutMs, 1, MAX_TIMER_MS);
  checkWhole('maxInFlight', maxInFlight, 1, 10_000);
  return {
    issuer: checkIssuerName(users.issuer, 'users.issuer'),
    valueOf: users.value ?? ((principal) => principal.subject),
    userSearch: {
      base: checkName(users.baseDn, 'users.baseDn'),
      attribute: checkAttribute(users.attribute, 'users.attribute'),
      objectClass: users.objectClass ?? 'person',
    },
    groupSearch: {
      base: checkName(groups.baseDn, 'groups.baseDn'),
      strategy: groups.strategy ?? 'auto',
      memberAttribute: checkAttribute(groups.memberAttribute ?? 'member', 'groups.memberAttribute'),
    },
    groupNames: readGroupNames(groups.names),
    servers: readServers(options),
    timeoutMs,
    maxInFlight,
    logger: options.logger,
    now: options.now ?? (() => Date.now()),
    random: options.random ?? (() => Math.random()),
  };
}

function readServers(options: LdapDirectoryOptions): readonly LdapServer[] {
  const { urls, bind, tls = {} } = options;
  if (urls.length === 0) {
    throw new TypeError('urls must name a server');
  }
  const dn = checkName(bind.dn, 'bind.dn');
  if (dn === '') {
    throw new TypeError('bind.dn is required');
  }
  if (bind.password === '') {
    throw new TypeError('bind.password is empty');
  }
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
  if (options.startTls === true) {
    return 'startTls';
  }
  if (options.allowCleartextOnLoopback === true && isLoopback(hostname)) {
    return 'none';
  }
  throw new TypeError(
    `urls must use ldaps:// (or startTls; cleartext only on loopback, if allowed), got ${url}`,
  );
}

function readGroupNames(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const byKey = new Map<string, string>();
  for (const [dn, name] of Object.entries(names)) {
    const key = distinguishedNameKey(checkName(dn, 'groups.names'));
    if (byKey.has(key)) {
      throw new TypeError(`groups.names has one group twice: ${dn}`);
    }
    if (name === '') {
      throw new TypeError(`groups.names has no name for ${dn}`);
    }
    byKey.set(key, name);
  }
  if (byKey.size === 0) {
    throw new TypeError('groups.names must name a group');
  }
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
