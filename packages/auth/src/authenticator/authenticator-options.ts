import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import type { Directory } from '../directory/directory.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Policy } from '../policy/policy.ts';
import type { KeyProofs } from '../possession/key-proof.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';
import { checkPolicyFits } from './policy-fit.ts';

/** Who vouches for tokens, who knows groups, what these allow, and how long an answer counts. */
export interface AuthenticatorOptions {
  /** Verifies tokens. Its `issuers` tell whether a policy must say whose services it means. @default one issuer */
  readonly verifier: Pick<TokenVerifier, 'verify'> &
    Partial<Pick<TokenVerifier, 'issuers' | 'groupIssuers' | 'confirm' | 'ages'>>;
  /**
   * Knows the groups of users whose token does not name them.
   * @default such users have no groups; one whose token says that there are too many to name is refused
   */
  readonly directory?: Directory | undefined;
  /** What scopes and groups allow: of `createFilePolicy` or `createPolicy`, or another engine. */
  readonly policy: Pick<PolicyEngine, 'permissionsFor' | 'ages'> &
    Partial<Pick<Policy, 'unboundServices' | 'freshPermissions' | 'obtainableFor'>>;
  /** Checks tokens that are bound to a key. @default such tokens are refused */
  readonly proofs?: KeyProofs | undefined;
  /**
   * How long a user's groups are trusted, in milliseconds, ±10 %: 0 to 2_147_483_647. The directory is asked again
   * from 80 % of it on, while calls go on with what is known. @default 300_000
   */
  readonly groupsTtlMs?: number | undefined;
  /**
   * How old groups may become while the directory cannot be asked, in milliseconds: groupsTtlMs to 2_147_483_647. After
   * that nobody gets in whose groups it must know. @default 900_000, or groupsTtlMs if that is longer
   */
  readonly groupsMaxStaleMs?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

type Filled = 'groupsTtlMs' | 'groupsMaxStaleMs' | 'now' | 'random';

/** {@link AuthenticatorOptions} with its defaults, checked. */
export type ResolvedAuthenticatorOptions = Omit<AuthenticatorOptions, Filled> & {
  readonly [Name in Filled]: NonNullable<AuthenticatorOptions[Name]>;
};

/**
 * Fills in and checks.
 * @throws {RangeError} naming the number
 * @throws {TypeError} when something is missing, or the policy does not fit the verifier or the directory
 */
export function resolveAuthenticatorOptions(options: AuthenticatorOptions): ResolvedAuthenticatorOptions {
  const { verifier, directory, policy, groupsTtlMs = 300_000 } = options;
  if (typeof verifier?.verify !== 'function') {
    throw new TypeError(`verifier must be a token verifier, got ${JSON.stringify(verifier)}`);
  }
  if (typeof policy?.permissionsFor !== 'function') {
    throw new TypeError(`policy must be a policy, got ${JSON.stringify(policy)}`);
  }
  checkWhole('groupsTtlMs', groupsTtlMs, 0, MAX_TIMER_MS);
  const { groupsMaxStaleMs = Math.max(900_000, groupsTtlMs) } = options;
  checkWhole('groupsMaxStaleMs', groupsMaxStaleMs, groupsTtlMs, MAX_TIMER_MS);
  checkPolicyFits(policy, { verifier, directory });
  return {
    verifier,
    directory,
    policy,
    proofs: options.proofs,
    groupsTtlMs,
    groupsMaxStaleMs,
    now: options.now ?? (() => Date.now()),
    random: options.random ?? (() => Math.random()),
  };
}
