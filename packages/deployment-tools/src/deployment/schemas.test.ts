import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { deploymentTargetSchema, serviceSchema, versionSchema } from './schemas.ts';

const target = { service: 'payment-service', version: '2.4.1', environment: 'staging' };

function messages(input: unknown): string[] {
  const result = deploymentTargetSchema.safeParse(input);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('serviceSchema', () => {
  it.each(['abc', 'payment-service', '0-9', 'a'.repeat(50)])('accepts %s', (name) => {
    expect(serviceSchema.safeParse(name).success).toBe(true);
  });

  it.each(['ab', 'a'.repeat(51), 'Payment', 'a_b', '../etc', 'abc\n', 'ab%2f', 'äbc', ''])(
    'refuses %j',
    (name) => {
      expect(serviceSchema.safeParse(name).success).toBe(false);
    },
  );
});

describe('versionSchema', () => {
  // The examples of https://regex101.com/r/vkijKf/1/, which semver.org links to.
  it.each([
    '0.0.4',
    '1.2.3',
    '10.20.30',
    '1.1.2-prerelease+meta',
    '1.0.0-alpha',
    '1.0.0-alpha.0valid',
    '1.0.0-rc.1+build.123',
    '2.0.0+build.1848',
    '1.2.3----RC-SNAPSHOT.12.9.1--.12',
    '1.0.0-0A.is.legal',
  ])('accepts %s', (version) => {
    expect(versionSchema.safeParse(version).success).toBe(true);
  });

  it.each([
    '1',
    '1.2',
    '1.2.3-0123',
    '1.2.3-0123.0123',
    '1.1.2+.123',
    '+invalid',
    '-invalid',
    'alpha_beta',
    '1.0.0-alpha_beta',
    '1.0.0-alpha..1',
    '01.1.1',
    '1.01.1',
    '1.1.01',
    '1.2.3.DEV',
    'v1.2.3',
    '1.2.3\n',
    `1.2.3-${'a'.repeat(60)}`,
  ])('refuses %j', (version) => {
    expect(versionSchema.safeParse(version).success).toBe(false);
  });

  it('accepts every version that is put together by the rules', () => {
    const number = fc.nat({ max: 99_999 });
    const identifier = fc.stringMatching(/^[a-z-][0-9a-z-]{0,8}$/);
    fc.assert(
      fc.property(number, number, number, fc.array(identifier, { maxLength: 3 }), (a, b, c, parts) => {
        const suffix = parts.length === 0 ? '' : `-${parts.join('.')}`;
        expect(versionSchema.safeParse(`${a}.${b}.${c}${suffix}`).success).toBe(true);
      }),
    );
  });
});

describe('deploymentTargetSchema', () => {
  it('tells a model how each argument must look, once for each', () => {
    expect(messages({ service: 'P', version: 'v1', environment: 'prod' })).toEqual([
      'service: must be 3-50 characters of a-z, 0-9 and -',
      'version: must be a semantic version such as 2.4.1 or 2.5.0-rc.1, without a leading v',
      'environment: must be development, staging or production',
    ]);
  });

  it('says the same about an argument that is missing or of another type', () => {
    expect(messages({ version: 2, environment: null })).toEqual([
      'service: must be 3-50 characters of a-z, 0-9 and -',
      'version: must be a semantic version such as 2.4.1 or 2.5.0-rc.1, without a leading v',
      'environment: must be development, staging or production',
    ]);
  });

  it('refuses an argument that it does not know', () => {
    expect(messages({ ...target, force: true })).toEqual([': Unrecognized key: "force"']);
  });
});
