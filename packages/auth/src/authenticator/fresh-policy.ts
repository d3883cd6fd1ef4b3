import { isAuthError } from '../errors.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Decision, PolicySubject } from '../policy/policy.ts';
import type { Authenticator, FreshCaller } from './authenticator.ts';

export interface FreshPolicyOptions {
  readonly policy: Pick<PolicyEngine, 'decide'> & {
    /** Permissions that must not rest on groups older than 30 seconds. */
    readonly freshPermissions: readonly string[];
  };
  readonly authenticator: Pick<Authenticator, 'refresh'>;
}

/**
 * A policy that looks the caller's groups up again before it decides on a fresh permission, and refuses as
 * `unavailable` while it cannot: a revoked group ends such a permission at once, whatever is cached. Hand it to the
 * server as its authorizer.
 */
export function createFreshPolicy({ policy, authenticator }: FreshPolicyOptions): {
  readonly decide: (
    caller: PolicySubject & FreshCaller & { readonly permissions: readonly string[] },
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Promise<Decision>;
} {
  const fresh = new Set(policy.freshPermissions);
  return {
    async decide(caller, permission, { signal }) {
      if (!fresh.has(permission)) return policy.decide(caller, permission, { signal });
      const rule = `require ${permission}: fresh`;
      try {
        return await policy.decide(await authenticator.refresh(caller, { signal }), permission, { signal });
      } catch (error) {
        if (signal.aborted || !isAuthError(error)) throw error;
        if (error.code === 'access_denied') return { allowed: false, reason: 'missing_group', rule };
        return { allowed: false, reason: 'unavailable', rule };
      }
    },
  };
}
