import { PUBLIC_MESSAGES } from './public-messages.ts';
import type { AuthErrorCode } from './public-messages.ts';

/** What an {@link AuthError} carries beside its code. */
export interface AuthErrorOptions {
  /** For the log: what went wrong, never any part of a token. @default the public message */
  readonly message?: string | undefined;
  /** The error behind it, for the log. @default none */
  readonly cause?: unknown;
  /** With `unavailable`: when a retry makes sense, in milliseconds. @default not said */
  readonly retryAfterMs?: number | undefined;
  /** With `insufficient_scope`: every scope that the operation needs. @default none */
  readonly requiredScopes?: readonly string[] | undefined;
  /** With `invalid_proof`: the nonce that the next proof must hold (RFC 9449 §9). @default none is needed */
  readonly dpopNonce?: string | undefined;
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
  readonly dpopNonce: string | undefined;

  constructor(code: AuthErrorCode, options: AuthErrorOptions = {}) {
    super(
      options.message ?? PUBLIC_MESSAGES[code],
      'cause' in options ? { cause: options.cause } : undefined,
    );
    this.code = code;
    this.publicMessage = PUBLIC_MESSAGES[code];
    this.retryAfterMs = options.retryAfterMs;
    this.requiredScopes = options.requiredScopes ?? [];
    this.dpopNonce = options.dpopNonce;
  }
}

/** Tells an {@link AuthError} by its name and code, so that it works across copies of this package. */
export function isAuthError(error: unknown): error is AuthError {
  return (
    error instanceof Error &&
    error.name === 'AuthError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(PUBLIC_MESSAGES, error.code)
  );
}

/** A token that is not good here. `reason` is for the log: it holds nothing of the token. */
export function tokenRefused(reason: string): AuthError {
  return new AuthError('invalid_token', { message: `token refused: ${reason}` });
}
