/** A bearer token. */
export interface AccessToken {
  readonly value: string;
}

/** Where a client gets its bearer tokens. Implementations share one fetch among concurrent callers. */
export interface TokenSource {
  /** A token that is valid now. Rejects when none can be had; aborting the signal ends the wait, not a shared fetch. */
  readonly get: (options: { readonly signal: AbortSignal }) => Promise<AccessToken>;
  /** Tells that the upstream responded with 401 to this token. It is dropped only if it is still the current one. */
  readonly invalidate: (value: string) => void;
  /**
   * Names whom the tokens are for: calls of the same subject share what a 429 holds back, and their failures are one
   * caller's. @default the issuer and subject of the token when it is a JWT, else the token itself
   */
  readonly subject?: string | undefined;
}

/** RFC 6750 §2.1: anything else could not stand in a header. */
export const BEARER_VALUE: RegExp = /^[\w.~+/-]+=*$/;
