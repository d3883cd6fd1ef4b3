import { createHash } from 'node:crypto';

/**
 * Names whom a token speaks for, without the token: the issuer and subject (or client) of a JWT, so that a renewed token
 * is the same principal; of any other token, its digest. Nothing is verified, so it decides who waits and never who may.
 */
export function principalOf(token: string): string {
  const { iss, sub, client_id: clientId, azp } = claimsOf(token);
  const subject = sub ?? clientId ?? azp;
  const name = subject === undefined ? ['token', token] : ['principal', iss, subject];
  return createHash('sha256').update(JSON.stringify(name)).digest('base64url');
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  // RFC 7519: three parts, of which the second holds the claims.
  const [, payload, signature, ...rest] = token.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) {
    return {};
  }
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    // Not only texts: some issuers number their users, and all of these are of one client.
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}
