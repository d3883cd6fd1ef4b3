import { PERMISSION_NAME } from './permission-pattern.ts';
import type { Decision, PolicySubject } from './policy.ts';

/** Who decides. `createPolicy` is one; Cedar, OPA or OpenFGA can be another. */
export interface PolicyEngine {
  /**
   * The subject's effective permissions, as concrete names: what it is shown. Rejects when that cannot be decided.
   */
  readonly permissionsFor: (
    subject: PolicySubject,
    options: { readonly signal: AbortSignal },
  ) => readonly string[] | Promise<readonly string[]>;
  /** Whether `caller` may use `permission` now. Rejects, or says `unavailable`, when that cannot be decided. */
  readonly decide: (
    caller: PolicySubject & { readonly permissions: readonly string[] },
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Decision | Promise<Decision>;
}

export interface PolicyEngineOptions {
  /** Every permission there is; nothing else is ever asked for. */
  readonly permissions: readonly string[];
  /** The one question to the engine. It gets the token's scopes too, and must look at them: they bound the client. */
  readonly decide: (
    subject: PolicySubject,
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Decision | Promise<Decision>;
}

/**
 * Makes a policy of an engine that answers one question, for example a Cedar or OPA decision. What is not in
 * `permissions` is denied without asking.
 * @throws TypeError when a permission is not a concrete name
 */
export function createPolicyEngine(engine: PolicyEngineOptions): PolicyEngine {
  const { permissions } = engine;
  for (const permission of permissions) {
    if (!PERMISSION_NAME.test(permission)) {
      throw new TypeError(`permissions must be concrete names, got ${JSON.stringify(permission)}`);
    }
  }
  const known = new Set(permissions);
  return {
    async permissionsFor(subject, options) {
      const sorted = [...known].toSorted();
      const decisions = await Promise.all(
        sorted.map(async (permission) => engine.decide(subject, permission, options)),
      );
      const undecided = decisions.find((decision) => !decision.allowed && decision.reason === 'unavailable');
      // An empty list would be taken for "nothing is allowed" and hide the outage.
      if (undecided !== undefined) throw new Error('the policy engine could not decide');
      return sorted.filter((_, index) => decisions[index]?.allowed === true);
    },
    async decide(caller, permission, options) {
      if (!known.has(permission)) return { allowed: false, reason: 'missing_permission' };
      return engine.decide(caller, permission, options);
    },
  };
}
