import { PERMISSION_NAME } from '../policy/permission-pattern.ts';

/** Who is calling and what they may do. Never holds the token. */
export interface Caller {
  /** `issuer#subject`. */
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly kind: 'user' | 'service';
  /** For display and audit only. */
  readonly displayName?: string | undefined;
  /** For display and audit only. */
  readonly email?: string | undefined;
  /** The OAuth client the caller uses. May be a URL: never a metric label or a path. */
  readonly clientId?: string | undefined;
  /** As the directory gave them; empty for services. */
  readonly groups: readonly string[];
  /** When the directory was asked for the groups, in milliseconds since the Unix epoch; absent when it was not. For audit. */
  readonly groupsAsOf?: number | undefined;
  /** Effective permissions: concrete names, sorted, no wildcards. */
  readonly permissions: readonly string[];
  /**
   * What the caller would hold with a token of every scope: shown to clients, who can then ask for a better token.
   * Only over HTTP, where they are told how.
   */
  readonly obtainablePermissions?: readonly string[] | undefined;
  /** The scopes of the token. */
  readonly scopes: readonly string[];
  /** When the token ends, in milliseconds since the Unix epoch; absent for a local caller. Close long-lived streams then. */
  readonly expiresAt?: number | undefined;
}

export interface LocalCallerOptions {
  /** A fixed word for audit records, such as `stdio`. Not a person: nothing verifies it. */
  readonly name: string;
  /** Concrete permission names. Those with a `require` rule in the policy stay denied: no groups, no scopes. */
  readonly permissions: readonly string[];
}

/**
 * The fixed identity of a process that nobody signed in to: `local#name`, without groups and scopes.
 * @throws TypeError when the name is not a plain word or a permission is a wildcard
 */
export function localCaller({ name, permissions }: LocalCallerOptions): Caller {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    throw new TypeError(`name must be a plain word of at most 64 characters, got ${JSON.stringify(name)}`);
  }
  for (const permission of permissions) {
    if (!PERMISSION_NAME.test(permission)) {
      throw new TypeError(`permissions must be concrete names, got ${JSON.stringify(permission)}`);
    }
  }
  return Object.freeze({
    id: `local#${name}`,
    issuer: 'local',
    subject: name,
    kind: 'user',
    displayName: name,
    groups: Object.freeze([]),
    permissions: Object.freeze([...new Set(permissions)].toSorted()),
    scopes: Object.freeze([]),
  });
}
