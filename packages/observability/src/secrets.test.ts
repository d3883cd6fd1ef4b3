import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { redactText } from './redact-text.ts';
import { redactJsonLine } from './redact.ts';
import { isSecretName } from './secret-names.ts';

const SECRET = 'Pl4ntedValue123456';
const line = (record: unknown) => redactJsonLine(`${JSON.stringify(record)}\n`);

describe('a field', () => {
  it.each([
    'token',
    'tokens',
    'passwords',
    'secrets',
    'apiKeys',
    'API_KEY',
    'tokenValue',
    'accessTokenRaw',
    'passwordHash',
    'secretValue',
    'token_1',
    'password2',
    'encryptionKey',
    'hmac_key',
    'sharedKey',
    'Ocp-Apim-Subscription-Key',
    'sessionId',
    'mfaCode',
    'otp_code',
    'mcp-session-id',
    'jwt',
    'auth',
    'otp',
    'pin',
    'accesstoken',
    'credentials',
    'Set-Cookie',
    'AUDIT_DIGEST_KEY',
    'AUDIT_SIGNING_KEY',
    'ACCESS_TOKEN',
    'PLATFORM_CLIENT_SECRET',
    'DIRECTORY_PASSWORD',
    'AUTH_INTROSPECTION_CLIENT_SECRET',
    'X-Amz-Security-Token',
    'clientAssertion',
    'code_verifier',
  ])('%s is secret', (name) => {
    expect(isSecretName(name)).toBe(true);
    expect(line({ a: { [name]: [SECRET] } })).not.toContain(SECRET);
  });

  it.each([
    'tokenType',
    'token_endpoint',
    'tokenUrl',
    'passwordPolicy',
    'secretName',
    'key',
    'keyId',
    'monkey',
    'keyboard',
    'authorizationServers',
    'author',
    'tool',
    'pinned',
    'option',
    'signal',
    'session',
    'cookieCount',
    'statusCode',
  ])('%s is not', (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  it('that counts tokens stays', () => {
    expect(JSON.parse(line({ inputTokens: 1200, token: 1200 }))).toEqual({
      inputTokens: 1200,
      token: '[Redacted]',
    });
  });
});

describe('a pair', () => {
  it.each([
    [['authorization', SECRET]],
    [{ headers: [['authorization', SECRET]] }],
    [{ headers: [{ name: 'X-Api-Key', value: SECRET }] }],
    [{ env: [{ key: 'DB_PASSWORD', value: SECRET }] }],
    [{ rawHeaders: ['Accept', '*/*', 'X-Api-Key', SECRET, 'Cookie', `sid=${SECRET}`] }],
    [{ header: { name: 'cookie', values: [SECRET] } }],
  ])('%j is masked', (record) => {
    expect(line(record)).not.toContain(SECRET);
  });

  it('that tells nothing stays', () => {
    const record = {
      headers: [['accept', '*/*'], { name: 'host', value: 'a' }],
      token_type: 'Bearer',
      names: ['a', 'b'],
    };
    expect(JSON.parse(line(record))).toEqual(record);
  });
});

describe('a key in JSON', () => {
  const keys = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    generateKeyPairSync('ed25519').privateKey,
    createSecretKey(randomBytes(32)),
  ].map((key) => ({ kid: 'k1', use: 'sig', ...key.export({ format: 'jwk' }) }));
  const secretsOf = ({
    kty: _kty,
    kid: _kid,
    use: _use,
    crv: _crv,
    n,
    e,
    x,
    y,
    ...secrets
  }: (typeof keys)[number]) => ({
    open: [n, e, x, y].filter((value) => value !== undefined),
    secrets: Object.values(secrets),
  });

  it.each(keys.map((key) => [key.kty, key] as const))(
    '%s shows what is public of it, and no more',
    (_kty, key) => {
      const { open, secrets } = secretsOf(key);
      expect(secrets.length).toBeGreaterThan(0);
      for (const shown of [
        line({ key }),
        line({ keys: [{ inner: [key] }] }),
        line({ msg: `loaded ${JSON.stringify(key)}` }),
        line({ msg: JSON.stringify({ body: JSON.stringify(key) }) }),
        line({ err: { stack: inspect({ key }) } }),
        redactText(JSON.stringify(key, null, 2)),
      ]) {
        expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
        expect(open.filter((value) => !shown.includes(value))).toEqual([]);
      }
    },
  );

  it('is what makes these letters secret', () => {
    const point = {
      d: 'distance-in-metres',
      k: 'kilometres',
      p: 'pressure-in-bars',
      q: ['quantity-of-things'],
    };
    expect(JSON.parse(line(point))).toEqual(point);
  });
});

describe('text', () => {
  it.each([
    `GET https://app.example/cb?code=${SECRET}&state=1`,
    `https://b.blob.core.windows.net/c?sv=1&sig=${SECRET}`,
    `https://s3.example/x?X-Amz-Signature=${SECRET}`,
    `https://s3.example/x?a=1&X-Amz-Security-Token=${SECRET}`,
    `https://storage.example/x?X-Goog-Signature=${SECRET}`,
    `https://h.example/x?token=${SECRET}`,
    `jdbc:postgresql://h/db?user=u&password=${SECRET}`,
    `Server=h;Pwd=${SECRET};`,
    `DefaultEndpointsProtocol=https;AccountKey=${SECRET};EndpointSuffix=x`,
    `Endpoint=sb://x/;SharedAccessKey=${SECRET}`,
    `authorization header was Token ${SECRET}`,
    `tokens: ${SECRET}`,
    `authorization header was ApiKey ${SECRET}`,
    `npx server --password ${SECRET} --port 1`,
    `npx server --db-api-key ${SECRET}`,
    `DIGEST_KEY=${SECRET}`,
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${SECRET}\n-----END PGP PRIVATE KEY BLOCK-----`,
  ])('%s is masked', (text) => {
    expect(redactText(text)).not.toContain(SECRET);
    expect(line({ text })).not.toContain(SECRET);
  });

  // Put together here, so that no scanner of this repository takes them for real ones.
  it.each([
    ['AIza', 'SyA1234567890abcdefghijklmnopqrstuvw'],
    ['sk_', 'live_4eC39HqLyjWDarjtT1zdp7dc'],
    ['rk_', 'test_4eC39HqLyjWDarjtT1zdp7dc'],
    ['npm_', 'a'.repeat(36)],
    ['hf_', 'a'.repeat(34)],
    ['xapp-', `1-A111-${'a'.repeat(30)}`],
    ['xoxb-', '123456789012-abcdefABCDEF'],
    ['ASIA', 'IOSFODNN7EXAMPLE'],
    ['AKIA', 'IOSFODNN7EXAMPLE'],
    ['ya29.', 'a0AfH6SMBx'.repeat(4)],
    ['hvs.', 'CAESIJ'.repeat(6)],
    ['ghp_', 'a1'.repeat(18)],
    ['github_pat_', 'a1'.repeat(30)],
    ['glpat-', 'a1'.repeat(10)],
    ['sk-', `ant-api03-${'a'.repeat(40)}`],
    ['SG.', `${'a'.repeat(22)}.${'b'.repeat(43)}`],
    ['pypi-', `AgEIcHlwaS5vcmc${'a'.repeat(40)}`],
    ['dckr_pat_', 'a'.repeat(27)],
    ['dapi', 'a1'.repeat(16)],
    ['123456789:', `AA${'h'.repeat(33)}`],
  ])('a token that starts with %s is masked', (prefix, rest) => {
    const text = `got ${prefix}${rest} from it`;
    expect(redactText(text)).not.toContain(rest.slice(-12));
    expect(line({ text })).not.toContain(rest.slice(-12));
    for (const before of ['\n', '\t', '\u0007', '\\', '"', 'é']) {
      expect(line({ text: `got${before}${prefix}${rest}` })).not.toContain(rest.slice(-12));
    }
  });
});

describe('what is not secret', () => {
  it('keeps integers beyond 2^53 as they were, beside a secret too', () => {
    const record = '{"id":12345678901234567890,"small":1,"half":0.5,"token":"x","big":1e400}\n';
    expect(redactJsonLine(record)).toBe(
      '{"id":12345678901234567890,"small":1,"half":0.5,"token":"[Redacted]","big":1e400}\n',
    );
    expect(redactJsonLine('{"id":12345678901234567890}\n')).toBe('{"id":12345678901234567890}\n');
  });

  it('shows bytes as their number', () => {
    expect(line({ body: Buffer.from(`password=${SECRET}`) })).toBe('{"body":"[27 bytes]"}\n');
  });

  it('stays as JSON has it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const record = { value: JSON.parse(JSON.stringify(value)) as unknown };
        const text = JSON.stringify(record);
        // Only what could be a secret may change, and the rest must still be one JSON value.
        expect(() => JSON.parse(redactJsonLine(text)) as unknown).not.toThrow();
      }),
    );
  });
});

it('is linear in the length of hostile text', () => {
  const starts = [
    'token',
    'sk-',
    '?sig',
    '{"a":',
    '://a',
    'Token ',
    '--password ',
    '--a-',
    '-',
    '1234567',
    '-----BEGIN PRIVATE KEY-----',
    'a.',
    '_-',
  ];
  for (const start of starts) {
    const text = start.repeat(Math.floor(200_000 / start.length));
    expect(redactText(text).length).toBeLessThanOrEqual(text.length);
  }
});
