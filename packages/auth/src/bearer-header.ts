import { AuthError } from './errors.ts';

/** RFC 6750 §2.1: one `b64token`, nothing after it. The scheme's case does not matter (RFC 9110 §11.1). */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Takes the token out of an Authorization header.
 * @throws AuthError `missing_token` without one or with another scheme; `malformed_authorization` when the
 * header names Bearer but is not exactly one bearer credential
 */
export function bearerToken(header: string | undefined): string {
  const value = header?.trim() ?? '';
  const token = BEARER.exec(value)?.[1];
  if (token !== undefined) return token;
  if (/(?:^|,\s*)bearer(?:[\s,]|$)/i.test(value)) throw new AuthError('malformed_authorization');
  // RFC 6750 §3.1: an unsupported scheme counts as no authentication information.
  throw new AuthError('missing_token');
}
