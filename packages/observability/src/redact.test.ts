import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { redactText } from './redact-text.ts';
import { redactJsonLine } from './redact.ts';

const token = fc
  .uint8Array({ minLength: 16, maxLength: 48 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const jwt = fc
  .tuple(fc.constantFrom('RS256', 'ES256', 'EdDSA'), token, token)
  .map(
    ([algorithm, subject, signature]) =>
      `${Buffer.from(JSON.stringify({ alg: algorithm })).toString('base64url')}.${subject}.${signature}`,
  );
/** Each wraps a secret the way it turns up in messages, URLs, dumps and bodies. */
const frame = fc.constantFrom<(secret: string) => string>(
  (secret) => `Bearer ${secret}`,
  (secret) => `authorization: Basic ${secret}==`,
  (secret) => `Authorization: Token ${secret}`,
  (secret) => `headers: { authorization: 'Bearer ${secret}', accept: '*/*' }`,
  (secret) => `Cookie: theme=dark; sid="${secret}"`,
  (secret) => `POST https://ci:${secret}@backend.internal/v1 failed`,
  (secret) => `grant_type=client_credentials&client_secret=${secret}&scope=a`,
  (secret) => `https://h/cb?access_token=${secret}#x`,
  (secret) => `refresh_token%3D${secret}`,
  (secret) => `{"password":"${secret}"}`,
  (secret) => `{"password":"a \\"quoted\\" ${secret}"}`,
  (secret) => JSON.stringify({ body: JSON.stringify({ clientSecret: `x "${secret}" y` }) }),
  (secret) => `X-Api-Key = ${secret}`,
  (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
);
const noise = fc.string({ maxLength: 20 });

describe('redactText', () => {
  it('never lets a planted secret through', () => {
    fc.assert(
      fc.property(frame, token, noise, noise, (wrap, secret, before, after) => {
        expect(redactText(`${before} ${wrap(secret)} ${after}`)).not.toContain(secret);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never lets a JWT through, wherever it stands', () => {
    fc.assert(
      fc.property(jwt, noise, noise, (secret, before, after) => {
        const redacted = redactText(`${before}${secret}${after}`);
        for (const part of secret.split('.')) {
          expect(redacted).not.toContain(part);
        }
      }),
    );
  });

  it('changes nothing that is already redacted', () => {
    fc.assert(
      fc.property(frame, token, noise, (wrap, secret, before) => {
        const once = redactText(before + wrap(secret));
        expect(redactText(once)).toBe(once);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    'connect ECONNREFUSED 127.0.0.1:8080',
    'deployment 0190b5f2-7a4e-7c3e-9d55-0a1b2c3d4e5f of payment-service 2.1.0 to production failed',
    'GET https://config.internal/v1/services?environment=staging 503',
    'Unexpected token } in JSON at position 4',
    'used 1234 tokens',
    'This server needs a bearer token. Sign in and send it in the Authorization header.',
    'exactly one bearer token',
    'Send it by the DPoP scheme, with a new proof',
    'sent as DPoP but not bound to a key',
    'the token has none of the basic scopes',
    'Bearer error="invalid_token", resource_metadata="https://mcp.example.com/metadata"',
  ])('leaves %j as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('keeps what is around a secret readable', () => {
    expect(redactText('GET /v1?access_token=abc&page=2 failed')).toBe(
      'GET /v1?access_token=[Redacted]&page=2 failed',
    );
  });
});

describe('redactJsonLine', () => {
  it('masks by field name at any depth and keeps the rest', () => {
    const line = redactJsonLine(
      JSON.stringify({ a: [{ headers: { Authorization: 'x', accept: 'y' } }], hasToken: true, password: 5 }),
    );
    expect(JSON.parse(line)).toEqual({
      a: [{ headers: { Authorization: '[Redacted]', accept: 'y' } }],
      hasToken: true,
      password: '[Redacted]',
    });
  });

  it('ends with one newline', () => {
    expect(redactJsonLine('{"a":1}\n')).toBe('{"a":1}\n');
  });

  it('masks the text of a line that is not JSON', () => {
    expect(redactJsonLine('{"token":"abc"')).toBe('{"token":[Redacted]');
  });
});
