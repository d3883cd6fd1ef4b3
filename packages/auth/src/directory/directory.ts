import type { FactAges } from '../facts/fact-age.ts';
import type { FactLogger } from '../facts/watched-file.ts';
import type { Principal } from '../tokens/principal.ts';

/** Knows which groups a user is in. LDAP, a file, a group claim: each is one implementation. */
export interface Directory {
  /**
   * The names of the principal's groups; empty when it has none or is not known here.
   * Rejects when the answer cannot be had: that is not the same as "no groups" and is never taken for it.
   */
  readonly groupsOf: (
    principal: Principal,
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly string[]>;
  /**
   * Whether it can know users of this issuer at all. Asked at the start, when permissions are `fresh`.
   * @default it can
   */
  readonly knowsIssuer?: ((issuer: string) => boolean) | undefined;
  /** How old the answers are that it gives. @default as old as the question */
  readonly ages?: FactAges | undefined;
}

/** Told of what an operator wants to know of a directory; a pino logger fits. */
export type DirectoryLogger = FactLogger;
