import { createGroupLookup } from '../directory/group-lookup.ts';
import { AuthError, isAuthError } from '../errors.ts';
import type { FactAges } from '../facts/fact-age.ts';
import type { Principal } from '../tokens/principal.ts';
import type { ResolvedAuthenticatorOptions } from './authenticator-options.ts';
import type { Caller } from './caller.ts';

/** How old anything may be that a fresh permission is decided on. */
export const FRESH_MS = 30_000;
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
  /**
   * The caller, with other groups where those it has are older than groups are trusted.
   * @throws {AuthError} as `callerOf` does; the signal's reason
   */
  readonly renew: (caller: Caller, signal: AbortSignal) => Promise<Caller>;
  /** How long ago the directory last answered. */
  readonly ages: FactAges;
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

  async function withGroups(caller: Caller, signal: AbortSignal, maxAgeMs?: number): Promise<Caller> {
    const { expiresAt } = caller;
    if (caller.kind === 'service' || expiresAt === undefined || lookup === undefined) {
      return caller;
    }
    const principal = { ...caller, expiresAt };
    const { groups, asOf } = await lookup.groupsOf(principal, { signal, maxAgeMs });
    const permissions = await permissionsOf({ ...principal, groups }, signal);
    return { ...caller, groups, groupsAsOf: asOf, permissions };
  }

  return {
    async callerOf(verified, signal) {
      const known = await groupsOf(verified, signal);
      const { tokenGroups: _, ...principal } = verified;
      const { groups } = known;
      return { ...principal, ...known, permissions: await permissionsOf({ ...principal, groups }, signal) };
    },
    async refresh(caller, signal) {
      // Of several issuers: groups that only their tokens name are as old as these, whatever they say.
      const isListed = caller.kind === 'user' && caller.expiresAt !== undefined;
      if (isListed && directory?.knowsIssuer?.(caller.issuer) === false) {
        throw new AuthError('access_denied', {
          message:
            'the directory knows nobody of this issuer: groups that only a token names are never fresh',
        });
      }
      return withGroups(caller, signal, FRESH_MS);
    },
    async renew(caller, signal) {
      const { groupsAsOf } = caller;
      // Groups of a token are as old as the token, which ends; a clock that was set back tells nothing.
      const isCurrent = groupsAsOf === undefined || Math.abs(now() - groupsAsOf) < ttlMs;
      return isCurrent ? caller : withGroups(caller, signal);
    },
    ages: () => lookup?.ages() ?? [],
    invalidate: (principalId) => lookup?.invalidate(principalId),
    clear: () => lookup?.clear(),
    close: () => lookup?.close(),
  };
}

type CallerGroups = Pick<Caller, 'groups' | 'groupsAsOf'>;
