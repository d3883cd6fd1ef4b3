import { createGroupLookup } from '../directory/group-lookup.ts';
import { AuthError, isAuthError } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';
import type { ResolvedAuthenticatorOptions } from './authenticator-options.ts';
import type { Caller } from './caller.ts';

/** How old groups may be where they must be fresh. */
const FRESH_MS = 30_000;
const RETRY_AFTER_MS = 5_000;

/** Knows the groups of principals, and the permissions that follow. */
export interface PrincipalRights {
  /**
   * The caller that a principal is.
   * @throws {AuthError} `unavailable` when directory or policy cannot be asked, `access_denied`; the signal's reason
   */
  readonly callerOf: (principal: Principal, signal: AbortSignal) => Promise<Caller>;
  /** The caller with groups of the last 30 seconds. @throws {AuthError} as `callerOf` does; the signal's reason */
  readonly refresh: (caller: Caller, signal: AbortSignal) => Promise<Caller>;
  /** Forgets the groups of one principal. */
  readonly invalidate: (principalId: string) => void;
  /** Forgets all groups. */
  readonly clear: () => void;
  /** Ends lookups in flight. */
  readonly close: () => void;
}

/** Asks the directory, through a cache of groups, and then the policy. */
export function createPrincipalRights(
  options: Pick<
    ResolvedAuthenticatorOptions,
    'directory' | 'policy' | 'groupsTtlMs' | 'groupsMaxStaleMs' | 'now' | 'random'
  >,
): PrincipalRights {
  const { directory, policy, groupsTtlMs: ttlMs, groupsMaxStaleMs: maxStaleMs, now, random } = options;
  const lookup = directory && createGroupLookup({ directory, ttlMs, maxStaleMs, now, random });

  async function groupsOf(principal: Principal, signal: AbortSignal): Promise<CallerGroups> {
    // A service is nobody in the directory: its permissions come from the policy's `service` grants.
    if (principal.kind === 'service') {
      return { groups: [] };
    }
    if (typeof principal.tokenGroups === 'object') {
      return { groups: principal.tokenGroups };
    }
    if (lookup !== undefined) {
      const { groups, asOf } = await lookup.groupsOf(principal, { signal });
      return { groups, groupsAsOf: asOf };
    }
    if (principal.tokenGroups === undefined) {
      return { groups: [] };
    }
    throw new AuthError('access_denied', { message: 'groups overage: too many for a token, no directory' });
  }

  async function permissionsOf(
    subject: Principal & { readonly groups: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    try {
      return await policy.permissionsFor(subject, { signal });
    } catch (cause) {
      if (signal.aborted || isAuthError(cause)) {
        throw cause;
      }
      throw new AuthError('unavailable', {
        message: 'the policy engine cannot be asked',
        retryAfterMs: RETRY_AFTER_MS,
        cause,
      });
    }
  }

  return {
    async callerOf(verified, signal) {
      const known = await groupsOf(verified, signal);
      const { tokenGroups: _, ...principal } = verified;
      const { groups } = known;
      return { ...principal, ...known, permissions: await permissionsOf({ ...principal, groups }, signal) };
    },
    async refresh(caller, signal) {
      const { expiresAt } = caller;
      if (caller.kind === 'service' || expiresAt === undefined || lookup === undefined) {
        return caller;
      }
      const principal = { ...caller, expiresAt };
      const { groups, asOf } = await lookup.groupsOf(principal, { signal, maxAgeMs: FRESH_MS });
      const permissions = await permissionsOf({ ...principal, groups }, signal);
      return { ...caller, groups, groupsAsOf: asOf, permissions };
    },
    invalidate: (principalId) => lookup?.invalidate(principalId),
    clear: () => lookup?.clear(),
    close: () => lookup?.close(),
  };
}

type CallerGroups = Pick<Caller, 'groups' | 'groupsAsOf'>;
