import type { Directory } from '../directory/directory.ts';
import type { Policy } from '../policy/policy.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';

/** As much of a policy as has to fit. */
export type FittingPolicy = Partial<Pick<Policy, 'unboundServices' | 'freshPermissions'>>;

/** Who vouches for tokens and who knows groups: what a policy has to fit. */
export interface PolicySurroundings {
  /** @default one issuer, whose tokens name no groups */
  readonly verifier: Partial<Pick<TokenVerifier, 'issuers' | 'groupIssuers'>>;
  /** @default there is none */
  readonly directory?: Pick<Directory, 'knowsIssuer'> | undefined;
}

/**
 * Whether a policy can mean anything here. `createAuthenticator` asks once; hand it to `createFilePolicy` as `accept` to
 * have each new version asked.
 * @throws {TypeError} when there are several issuers and the policy names a service without saying whose it is; when
 * permissions are `fresh` and nobody can ever hold one, for groups come from tokens alone
 */
export function checkPolicyFits(policy: FittingPolicy, surroundings: PolicySurroundings): void {
  const { verifier, directory } = surroundings;
  const [unbound] = policy.unboundServices ?? [];
  // Any of the issuers could hand out that client id.
  if ((verifier.issuers?.length ?? 1) > 1 && unbound !== undefined) {
    throw new TypeError(`policy: with several issuers the grant of service ${unbound} must name its issuer`);
  }
  const [fresh] = policy.freshPermissions ?? [];
  if (fresh === undefined) {
    return;
  }
  if (directory === undefined) {
    throw new TypeError(
      `policy: permissions that are fresh need a directory, for a token is never up to date: ${fresh}`,
    );
  }
  const { issuers = [], groupIssuers = [] } = verifier;
  const nobody = issuers.filter(
    (issuer) => groupIssuers.includes(issuer) && directory.knowsIssuer?.(issuer) === false,
  );
  if (issuers.length > 0 && nobody.length === issuers.length) {
    throw new TypeError(
      `policy: ${fresh} is fresh, which nobody can ever be: groups come from tokens, and the directory knows no user of ${nobody.join(' or ')}`,
    );
  }
}
