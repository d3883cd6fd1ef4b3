import type { Claims } from './claim-path.ts';
import type { GroupClaimOptions } from './group-claim.ts';

/** How the access tokens of one issuer are told from its other tokens, and read. */
export interface TokenRules {
  /** The `typ` of its JWTs. `JWT` stands for none too (RFC 7519 §5.1), `either` for all of these. */
  readonly tokenType: 'at+jwt' | 'JWT' | 'either';
  /** Whether the claims show an access token, where the type does not. */
  readonly isAccessToken: (claims: Claims) => boolean;
  /** Whether a client got the token for itself. */
  readonly isService: (claims: Claims) => boolean;
  /** The claim with the lasting name of a person. */
  readonly subjectClaim: string;
  /** The claim with the lasting name of a service; `undefined` stands for its client id. */
  readonly serviceSubjectClaim: string | undefined;
  /** What a token without `sub` is. */
  readonly missingSubject: 'refuse' | 'service';
  readonly allowExtraAudiences: boolean;
  /** Audiences that may stand beside ours. */
  readonly toleratedAudiences: readonly string[];
  /** What a token without `aud` needs in its place. */
  readonly missingAudience: 'refuse' | 'client-and-scope';
  /** The only clients whose tokens are taken, where they are known. */
  readonly clients: ReadonlySet<string> | undefined;
  /** Paths of the claims with scopes. */
  readonly scopeClaims: readonly string[];
  /** The same, in a service's token. */
  readonly serviceScopeClaims: readonly string[];
  /** What the issuer puts before the names of our scopes. */
  readonly scopePrefix: string | undefined;
  readonly groups: GroupClaimOptions | undefined;
}
