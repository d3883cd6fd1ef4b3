import type { FactAges } from '../facts/fact-age.ts';
import { checkPermissions } from './permission-pattern.ts';
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
  /** How old the rules are that it decides by. @default they do not age */
  readonly ages?: FactAges | undefined;
}

/** An engine that answers one question. */
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

/** @throws {TypeError} naming the option and the value */
function resolvePolicyEngineOptions(options: PolicyEngineOptions): PolicyEngineOptions {
  return {
    permissions: checkPermissions(options.permissions),
    // Called on the options, which may be an object with a state of its own.
    decide: (subject, permission, { signal }) => options.decide(subject, permission, { signal }),
  };
}

/**
 * Makes a policy of an engine that answers one question, for example a Cedar or OPA decision. What is not in
 * `permissions` is denied without asking.
 * @throws {TypeError} when a permission is not a concrete name
 */
export function createPolicyEngine(options: PolicyEngineOptions): PolicyEngine {
  const { permissions, decide } = resolvePolicyEngineOptions(options);
  return {
    async permissionsFor(subject, { signal }) {
      const decisions = await Promise.all(
        permissions.map(async (permission) => decide(subject, permission, { signal })),
      );
      const undecided = decisions.find((decision) => !decision.allowed && decision.reason === 'unavailable');
      // An empty list would be taken for "nothing is allowed" and hide the outage.
      if (undecided !== undefined) {
        throw new Error('the policy engine could not decide');
      }
      return permissions.filter((_, index) => decisions[index]?.allowed === true);
    },
    async decide(caller, permission, { signal }) {
      if (!permissions.includes(permission)) {
        return { allowed: false, reason: 'missing_permission' };
      }
      return decide(caller, permission, { signal });
    },
  };
}
