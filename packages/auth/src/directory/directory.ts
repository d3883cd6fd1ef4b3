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
}

/** Told of what an operator wants to know of a directory; a pino logger fits. */
export interface DirectoryLogger {
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}
