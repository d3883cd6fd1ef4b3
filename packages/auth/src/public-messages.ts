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

/** All that a caller or a model reads of a refusal: the body of a 400, 401, 403 or 503, and what a call fails with. */
export const PUBLIC_MESSAGES: Readonly<Record<AuthErrorCode, string>> = {
  missing_token: 'This server needs a bearer token. Sign in and send it in the Authorization header.',
  malformed_authorization: 'The Authorization header must hold exactly one bearer token.',
  invalid_token: 'The access token was not accepted. Obtain a new token for this server and retry.',
  invalid_proof:
    'The access token is bound to a key. Send it by the DPoP scheme, with a new proof for this request.',
  insufficient_scope: 'The access token lacks a scope that this operation needs.',
  access_denied: 'This account may not use this server. Ask its operator.',
  unavailable: 'Sign-in cannot be checked at the moment. Retry later with the same token.',
};

/** The message with the scopes to ask for: some clients show it and nothing else. */
export function withNeededScopes(message: string, scopes: readonly string[]): string {
  return scopes.length === 0 ? message : `${message} Needed: ${scopes.join(' ')}`;
}
