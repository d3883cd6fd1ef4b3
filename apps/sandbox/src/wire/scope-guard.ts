import type { FastifyRequest } from 'fastify';
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';

import { Problem } from './json-service.ts';

/** An `onRequest` hook that lets through only a bearer token with the scope. */
export type ScopeGuard = (scope: string) => (request: FastifyRequest) => Promise<void>;

/** Verifies RFC 9068 access tokens: signature, issuer, audience, type and expiry, then the scope. */
export function createScopeGuard(options: {
  issuer: string;
  audience: string;
  keys: JWTVerifyGetKey;
}): ScopeGuard {
  return (scope) => async (request) => {
    const token = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw new Problem(401, 'A bearer token is required.', { headers: { 'www-authenticate': 'Bearer' } });
    }
    const scopes = await verifiedScopes(token, options);
    if (!scopes.includes(scope)) {
      throw new Problem(403, `The token lacks the scope ${scope}.`, {
        type: 'insufficient-scope',
        headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
      });
    }
  };
}

async function verifiedScopes(
  token: string,
  options: { issuer: string; audience: string; keys: JWTVerifyGetKey },
): Promise<string[]> {
  try {
    const { payload } = await jwtVerify(token, options.keys, {
      issuer: options.issuer,
      audience: options.audience,
      typ: 'at+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['sub', 'exp', 'iat', 'client_id'],
    });
    return typeof payload['scope'] === 'string' ? payload['scope'].split(' ') : [];
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) {
      throw error;
    }
    throw new Problem(401, 'The bearer token is not valid here.', {
      type: 'invalid-token',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
}
