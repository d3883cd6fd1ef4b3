import { AuthError } from '../errors.ts';

/** A token and how it was sent: `DPoP` (RFC 9449 §7.1) promises a proof of possession beside it. */
export interface Credential {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

/** RFC 6750 §2.1: one `b64token`, nothing after it. The scheme's case does not matter (RFC 9110 §11.1). */
const CREDENTIAL = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Takes the token out of an Authorization header.
 * @throws {AuthError} `missing_token` without one or with another scheme; `malformed_authorization` when the
 * header names Bearer or DPoP but is not exactly one such credential
 */
export function credentialOf(header: string | undefined): Credential {
  const value = header?.trim() ?? '';
  const [, scheme, token] = CREDENTIAL.exec(value) ?? [];
  if (scheme !== undefined && token !== undefined) {
    return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
  }
  if (/(?:^|,\s*)(?:bearer|dpop)(?:[\s,]|$)/i.test(value)) {
    throw new AuthError('malformed_authorization');
  }
  // RFC 6750 §3.1: an unsupported scheme counts as no authentication information.
  throw new AuthError('missing_token');
}
