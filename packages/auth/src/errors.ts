/**
 * Why a request has no caller. `unavailable` means that nothing could be decided (issuer or directory
 * unreachable): it says nothing about the credential. `access_denied` is about the account behind a good token: no
 * new token cures it.
 */
export type AuthErrorCode =
  | 'missing_token'
  | 'malformed_authorization'
  | 'invalid_token'
  | 'invalid_proof'
  | 'insufficient_scope'
  | 'access_denied'
  | 'unavailable';

const publicMessages: Readonly<Record<AuthErrorCode, string>> = {
  missing_token: 'This server needs a bearer token. Sign in and send it in the Authorization header.',
  malformed_authorization: 'The Authorization header must hold exactly one bearer token.',
  invalid_token: 'The access token was not accepted. Obtain a new token for this server and retry.',
  invalid_proof:
    'The access token is bound to a key. Send it by the DPoP scheme, with a new proof for this request.',
  insufficient_scope: 'The access token lacks a scope that this operation needs.',
  access_denied: 'This account may not use this server. Ask its operator.',
  unavailable: 'Sign-in cannot be checked at the moment. Retry later with the same token.',
};

/** What an {@link AuthError} carries beside its code. */
export interface AuthErrorOptions {
  /** For the log: what went wrong, never any part of a token. @default the public message */
  readonly message?: string | undefined;
  readonly cause?: unknown;
  /** With `unavailable`: when a retry makes sense, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** With `insufficient_scope`: every scope that the operation needs. */
  readonly requiredScopes?: readonly string[] | undefined;
}

/**
 * The one error of this package. `code` is stable; `publicMessage` is the only text a caller or a model
 * may read; `message` and `cause` are for the log and hold no part of a token.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;
  readonly publicMessage: string;
  readonly retryAfterMs: number | undefined;
  readonly requiredScopes: readonly string[];

  constructor(code: AuthErrorCode, options: AuthErrorOptions = {}) {
    super(options.message ?? publicMessages[code], 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.publicMessage = publicMessages[code];
    this.retryAfterMs = options.retryAfterMs;
    this.requiredScopes = options.requiredScopes ?? [];
  }
}

/** Tells an {@link AuthError} by its name and code, so that it works across copies of this package. */
export function isAuthError(error: unknown): error is AuthError {
  return (
    error instanceof Error &&
    error.name === 'AuthError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(publicMessages, error.code)
  );
}

/** A token that is not good here. `reason` is for the log: it holds nothing of the token. */
export function tokenRefused(reason: string): AuthError {
  return new AuthError('invalid_token', { message: `token refused: ${reason}` });
}
