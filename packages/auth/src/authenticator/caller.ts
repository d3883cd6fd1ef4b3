import { checkPermissions } from '../policy/permission-pattern.ts';

/** Who is calling and what they may do. Never holds the token. */
export interface Caller {
  /** `issuer#subject`. */
  readonly id: string;
  /** Who vouches for the subject; `local` for a local caller. */
  readonly issuer: string;
  /** The name that the issuer gave, unique there. */
  readonly subject: string;
  /** A person, or a program that acts for itself. */
  readonly kind: 'user' | 'service';
  /** For display and audit only. @default not known */
  readonly displayName?: string | undefined;
  /** For display and audit only. @default not known */
  readonly email?: string | undefined;
  /** The OAuth client the caller uses. May be a URL: never a metric label or a path. @default not known */
  readonly clientId?: string | undefined;
  /** As the directory gave them; empty for services. */
  readonly groups: readonly string[];
  /**
   * When the directory was asked for the groups, in milliseconds since the Unix epoch. For audit.
   * @default it was not asked
   */
  readonly groupsAsOf?: number | undefined;
  /** Effective permissions: concrete names, sorted, no wildcards. */
  readonly permissions: readonly string[];
  /**
   * What the caller would hold with a token of every scope: shown to clients, who can then ask for a better token.
   * Only over HTTP, where they are told how. @default not known
   */
  readonly obtainablePermissions?: readonly string[] | undefined;
  /** The scopes of the token. */
  readonly scopes: readonly string[];
  /**
   * When the token ends, in milliseconds since the Unix epoch. Close long-lived streams then.
   * @default never: a local caller
   */
  readonly expiresAt?: number | undefined;
}

/** Who a process without sign-in is, and what it may do. */
export interface LocalCallerOptions {
  /** A fixed word for audit records, such as `stdio`. Not a person: nothing verifies it. */
  readonly name: string;
  /** Concrete permission names. Those with a `require` rule in the policy stay denied: no groups, no scopes. */
  readonly permissions: readonly string[];
}

/** @throws {TypeError} naming the option and the value */
function resolveLocalCallerOptions(options: LocalCallerOptions): LocalCallerOptions {
  const { name, permissions } = options;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    throw new TypeError(`name must be a plain word of at most 64 characters, got ${JSON.stringify(name)}`);
  }
  return { name, permissions: checkPermissions(permissions) };
}

/**
 * The fixed identity of a process that nobody signed in to: `local#name`, without groups and scopes.
 * @throws {TypeError} when the name is not a plain word or a permission is a wildcard
 */
export function localCaller(options: LocalCallerOptions): Caller {
  const { name, permissions } = resolveLocalCallerOptions(options);
  return Object.freeze({
    id: `local#${name}`,
    issuer: 'local',
    subject: name,
    kind: 'user',
    displayName: name,
    groups: Object.freeze([]),
    permissions,
    scopes: Object.freeze([]),
  });
}
