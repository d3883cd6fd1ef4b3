import { describe, expect, it } from 'vitest';

import { AuthError } from '../errors.ts';
import type { AuthErrorCode } from '../public-messages.ts';
import { challengeFor } from './challenge.ts';

const options = {
  resourceMetadataUrl: 'https://mcp.example.test/.well-known/oauth-protected-resource/mcp',
  scopes: ['deploy:read', 'offline_access'],
};
const metadata = `resource_metadata="${options.resourceMetadataUrl}"`;
const codes: readonly AuthErrorCode[] = [
  'missing_token',
  'malformed_authorization',
  'invalid_token',
  'invalid_proof',
  'insufficient_scope',
  'access_denied',
  'unavailable',
];

describe('challengeFor', () => {
  it('gives no error code when no credential was sent', () => {
    const { status, headers } = challengeFor(new AuthError('missing_token'), options);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe(`Bearer ${metadata}, scope="deploy:read"`);
  });

  it('names scopes as clients must ask for them', () => {
    const scopePrefix = 'https://mcp.example.test/mcp/';
    const { headers } = challengeFor(new AuthError('missing_token'), { ...options, scopePrefix });
    expect(headers['www-authenticate']).toContain('scope="https://mcp.example.test/mcp/deploy:read"');
  });

  it('calls a bad token an invalid_token', () => {
    const { status, headers } = challengeFor(new AuthError('invalid_token'), options);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", error_description="[^"]+", /);
    expect(headers['www-authenticate']).toContain(`${metadata}, scope="deploy:read"`);
  });

  it('names all scopes of the operation, in the description too', () => {
    const error = new AuthError('insufficient_scope', {
      requiredScopes: ['deploy:write', 'deploy:production'],
    });
    const { status, headers, body } = challengeFor(error, options);
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toContain('error="insufficient_scope"');
    expect(headers['www-authenticate']).toContain('scope="deploy:write deploy:production"');
    expect(headers['www-authenticate']).toContain(metadata);
    expect(body.error_description).toContain('deploy:write deploy:production');
  });

  it('answers a malformed header with 400 invalid_request', () => {
    const { status, headers } = challengeFor(new AuthError('malformed_authorization'), options);
    expect(status).toBe(400);
    expect(headers['www-authenticate']).toContain('error="invalid_request"');
  });

  it.each([
    [5_000, '5'],
    [5_001, '6'],
    [undefined, '1'],
  ])('answers 503 without a challenge when nothing can be decided (%s ms)', (retryAfterMs, seconds) => {
    const error = new AuthError('unavailable', retryAfterMs === undefined ? {} : { retryAfterMs });
    const { status, headers } = challengeFor(error, options);
    expect(status).toBe(503);
    expect(headers).toEqual({ 'cache-control': 'no-store', 'retry-after': seconds });
  });

  it('answers 403 without a challenge when no token would help', () => {
    const { status, headers } = challengeFor(new AuthError('access_denied'), options);
    expect(status).toBe(403);
    expect(headers).toEqual({ 'cache-control': 'no-store' });
  });

  it.each(codes)('tells nothing of the internal message and cause of %s', (code) => {
    const cause = new Error('ldap://10.0.0.3 secret');
    const answer = challengeFor(new AuthError(code, { message: 'internal secret', cause }), options);
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('asks for another token where a bound one cannot be proved', () => {
    const { status, headers } = challengeFor(new AuthError('invalid_proof'), options);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", /u);
  });

  it.each(codes)('has a challenge in each 401: %s', (code) => {
    const { status, headers } = challengeFor(new AuthError(code), options);
    expect(status === 401 && headers['www-authenticate'] === undefined).toBe(false);
  });

  describe('where DPoP is accepted', () => {
    const dpop = { ...options, dpopAlgorithms: ['ES256', 'EdDSA'] };
    const header = (code: AuthErrorCode) =>
      challengeFor(new AuthError(code), dpop).headers['www-authenticate'];

    it('offers it beside Bearer', () => {
      const parameters = `${metadata}, scope="deploy:read"`;
      expect(header('missing_token')).toBe(`Bearer ${parameters}, DPoP ${parameters}, algs="ES256 EdDSA"`);
    });

    it('answers a bad proof with DPoP alone', () => {
      expect(header('invalid_proof')).toMatch(/^DPoP error="invalid_dpop_proof", .*, algs="ES256 EdDSA"$/);
      expect(header('invalid_proof')).not.toContain('Bearer');
    });
  });

  it('cannot be made to write another parameter', () => {
    const error = new AuthError('insufficient_scope', { requiredScopes: ['a", realm="b\r\nX: y'] });
    expect(challengeFor(error, options).headers['www-authenticate']).toMatch(/scope="a, realm=bX: y"$/);
  });
});
