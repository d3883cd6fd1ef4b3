import { describe, expect, it } from 'vitest';

import { issuerMetadataUrls } from './issuer-metadata.ts';
import { createTokenVerifier } from './token-verifier.ts';
import type { TokenVerifierOptions } from './token-verifier.ts';

const good: TokenVerifierOptions = {
  issuer: 'https://idp.example.test',
  audience: 'https://mcp.example.test/mcp',
  algorithms: ['RS256'],
};

describe('createTokenVerifier', () => {
  it.each([
    ['issuer', 'an absolute URL'],
    ['audience', 'a URI'],
    ['algorithms', 'a list of names'],
  ])('has no default for %s', (option, kind) => {
    // As a caller without types would do it.
    const options = { ...good, [option]: undefined } as unknown as TokenVerifierOptions;
    expect(() => createTokenVerifier(options)).toThrow(
      new TypeError(`${option} must be ${kind}, got undefined`),
    );
  });

  it.each(['none', 'HS256', 'dir', 'RSA-OAEP', 'rs256'])('refuses the algorithm %s', (algorithm) => {
    expect(() => createTokenVerifier({ ...good, algorithms: ['RS256', algorithm] })).toThrow(TypeError);
  });

  it.each([
    ['plain http', { issuer: 'http://idp.example.test' }],
    ['an issuer with a fragment', { issuer: 'https://idp.example.test#x' }],
    ['an issuer that is no URL', { issuer: 'idp' }],
    ['keys over plain http', { jwksUrl: 'http://idp.example.test/jwks' }],
    ['keys behind a password', { jwksUrl: 'https://a:b@idp.example.test/jwks' }],
    ['an empty list of algorithms', { algorithms: [] }],
  ])('refuses %s', (_, options) => {
    expect(() => createTokenVerifier({ ...good, ...options })).toThrow(TypeError);
  });

  it.each([-1, 61, Number.NaN])('refuses a clock tolerance of %d s', (clockToleranceSeconds) => {
    expect(() => createTokenVerifier({ ...good, clockToleranceSeconds })).toThrow(RangeError);
  });
});

describe('issuerMetadataUrls', () => {
  it('inserts and appends the path of the issuer', () => {
    expect(issuerMetadataUrls('https://idp.example.test/tenant/')).toEqual([
      'https://idp.example.test/.well-known/oauth-authorization-server/tenant',
      'https://idp.example.test/.well-known/openid-configuration/tenant',
      'https://idp.example.test/tenant/.well-known/openid-configuration',
    ]);
  });
});
