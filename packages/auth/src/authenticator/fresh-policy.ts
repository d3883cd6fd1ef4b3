import { isAuthError } from '../errors.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Decision, PolicySubject } from '../policy/policy.ts';
import type { Authenticator, FreshCaller } from './authenticator.ts';

/** What decides, and who looks groups up again. */
export interface FreshPolicyOptions {
  /** A policy of `createPolicy`, or an engine that says which of its permissions are fresh. */
  readonly policy: Pick<PolicyEngine, 'decide'> & {
    /** Permissions that must not rest on groups older than 30 seconds. */
    readonly freshPermissions: readonly string[];
  };
  /** The authenticator that makes the callers. */
  readonly authenticator: Pick<Authenticator, 'refresh'>;
}

interface ResolvedFreshPolicyOptions extends FreshPolicyOptions {
  readonly freshPermissions: ReadonlySet<string>;
}

/** @throws {TypeError} naming the option */
function resolveFreshPolicyOptions(options: FreshPolicyOptions): ResolvedFreshPolicyOptions {
  const { freshPermissions } = options.policy;
  if (!Array.isArray(freshPermissions)) {
    throw new TypeError(
      `policy.freshPermissions must be a list of permissions, got ${JSON.stringify(freshPermissions)}`,
    );
  }
  return { ...options, freshPermissions: new Set(freshPermissions) };
}

/** An authorizer: whether a caller may use a permission now. */
export interface FreshPolicy {
  /** @throws {TypeError} when a fresh permission is asked for and `caller` was made elsewhere; the signal's reason */
  readonly decide: (
    caller: PolicySubject & FreshCaller & { readonly permissions: readonly string[] },
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Promise<Decision>;
}

/**
 * A policy that looks the caller's groups up again before it decides on a fresh permission, and refuses as
 * `unavailable` while it cannot: a revoked group ends such a permission at once, whatever is cached. Hand it to the
 * server as its authorizer.
 * @throws {TypeError} naming the option
 */
export function createFreshPolicy(options: FreshPolicyOptions): FreshPolicy {
  const { policy, authenticator, freshPermissions } = resolveFreshPolicyOptions(options);
  return {
    async decide(caller, permission, { signal }) {
      if (!freshPermissions.has(permission)) {
        return policy.decide(caller, permission, { signal });
      }
      const rule = `require ${permission}: fresh`;
      try {
        return await policy.decide(await authenticator.refresh(caller, { signal }), permission, { signal });
      } catch (error) {
        if (signal.aborted || !isAuthError(error)) {
          throw error;
        }
        if (error.code === 'access_denied') {
          return { allowed: false, reason: 'missing_group', rule };
        }
        return { allowed: false, reason: 'unavailable', rule };
      }
    },
  };
}
