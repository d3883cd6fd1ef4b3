import { isAuthError } from '../errors.ts';
import type { FilePolicy } from '../policy/file-policy.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Decision, PolicySubject } from '../policy/policy.ts';
import type { Authenticator, FreshCaller } from './authenticator.ts';
import { FRESH_MS } from './principal-rights.ts';

/** What decides, and who looks groups up again. */
export interface FreshPolicyOptions {
  /** A policy of `createFilePolicy` or `createPolicy`, or an engine that says which of its permissions are fresh. */
  readonly policy: Pick<PolicyEngine, 'decide'> & {
    /** Permissions that must not rest on groups, nor on a policy, older than 30 seconds. */
    readonly freshPermissions: readonly string[];
  } & Partial<Pick<FilePolicy, 'current'>>;
  /** The authenticator that makes the callers. */
  readonly authenticator: Pick<Authenticator, 'refresh'> & Partial<Pick<Authenticator, 'renew'>>;
}

/** @throws {TypeError} naming the option */
function resolveFreshPolicyOptions(options: FreshPolicyOptions): FreshPolicyOptions {
  const { freshPermissions } = options.policy;
  if (!Array.isArray(freshPermissions)) {
    throw new TypeError(
      `policy.freshPermissions must be a list of permissions, got ${JSON.stringify(freshPermissions)}`,
    );
  }
  return options;
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
 * A policy that decides on nothing that is too old. For a fresh permission the caller's groups are looked up again, and
 * it is refused as `unavailable` while they, or the policy's file, cannot be: a revoked group ends such a permission at
 * once, whatever is cached. For the others, groups of a caller who stays are looked up again when their time is over. Hand
 * it to the server as its authorizer.
 * @throws {TypeError} naming the option
 */
export function createFreshPolicy(options: FreshPolicyOptions): FreshPolicy {
  const { policy, authenticator } = resolveFreshPolicyOptions(options);
  return {
    async decide(caller, permission, { signal }) {
      let rule: string | undefined;
      try {
        // One version of the policy says what is fresh and decides.
        let ruling = (await policy.current?.({ signal })) ?? policy;
        if (!ruling.freshPermissions.includes(permission)) {
          // Nobody looked up the groups of the others.
          const mayAge = caller.groupsAsOf !== undefined;
          const renewed = mayAge ? await authenticator.renew?.(caller, { signal }) : undefined;
          return await ruling.decide(renewed ?? caller, permission, { signal });
        }
        rule = `require ${permission}: fresh`;
        ruling = (await policy.current?.({ signal, maxAgeMs: FRESH_MS })) ?? policy;
        return await ruling.decide(await authenticator.refresh(caller, { signal }), permission, { signal });
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
