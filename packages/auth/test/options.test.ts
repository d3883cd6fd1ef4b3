import { describe, expect, it } from 'vitest';

import {
  createAuthenticator,
  createFileDirectory,
  createFreshPolicy,
  createIntrospectionVerifier,
  createKeyProofs,
  createPolicyEngine,
  createTokenRouter,
  createTokenVerifier,
  localCaller,
  openDirectory,
  openLdapDirectory,
} from '../src/index.ts';
import type {
  AuthenticatorOptions,
  FileDirectoryOptions,
  IntrospectionVerifierOptions,
  KeyProofsOptions,
  LdapDirectoryOptions,
  LocalCallerOptions,
  OpenDirectoryOptions,
  TokenVerifierOptions,
} from '../src/index.ts';

const issuer = 'https://idp.example.test';
const verifierOptions: TokenVerifierOptions = {
  issuer,
  audience: 'https://mcp.example.test/mcp',
  algorithms: ['RS256'],
};
const authenticatorOptions: AuthenticatorOptions = {
  verifier: { verify: () => Promise.reject(new Error('not asked')) },
  policy: { permissionsFor: () => [] },
};
const introspectionOptions: IntrospectionVerifierOptions = {
  issuer,
  audience: 'https://mcp.example.test/mcp',
  introspectionUrl: `${issuer}/introspect`,
  client: { id: 'mcp', secret: 'secret' },
};
const ldapOptions: LdapDirectoryOptions = {
  urls: ['ldaps://directory.example.test'],
  bind: { dn: 'cn=svc,dc=test', password: 'secret' },
  users: { issuer, baseDn: 'ou=people,dc=test', attribute: 'uid' },
  groups: { baseDn: 'ou=groups,dc=test', names: { 'cn=a,ou=groups,dc=test': 'a' } },
};

/** The names of the options that are numbers: the compiler asks for a new one to be listed below. */
type NumberOf<Options> = {
  [Name in keyof Options]-?: NonNullable<Options[Name]> extends number ? Name : never;
}[keyof Options];
type Factory = (wrong: Readonly<Record<string, unknown>>) => unknown;
type Row = readonly [factory: string, option: string, create: Factory];

function numbersOf<Options>(
  factory: string,
  names: Readonly<Record<NumberOf<Options>, true>>,
  create: (wrong: Partial<Options>) => unknown,
): readonly Row[] {
  // Wrong on purpose, as a caller without types would have it.
  return Object.keys(names).map((name) => [factory, name, create as Factory]);
}

const numbers: readonly Row[] = [
  ...numbersOf<AuthenticatorOptions>(
    'createAuthenticator',
    { groupsTtlMs: true, groupsMaxStaleMs: true },
    (wrong) => createAuthenticator({ ...authenticatorOptions, ...wrong }),
  ),
  ...numbersOf<TokenVerifierOptions>('createTokenVerifier', { clockToleranceSeconds: true }, (wrong) =>
    createTokenVerifier({ ...verifierOptions, ...wrong }),
  ),
  ...numbersOf<IntrospectionVerifierOptions>(
    'createIntrospectionVerifier',
    { clockToleranceSeconds: true, cacheMs: true },
    (wrong) => createIntrospectionVerifier({ ...introspectionOptions, ...wrong }),
  ),
  ...numbersOf<KeyProofsOptions>(
    'createKeyProofs',
    { maxAgeSeconds: true, clockToleranceSeconds: true },
    (wrong) => createKeyProofs(wrong),
  ),
  ...numbersOf<FileDirectoryOptions>('createFileDirectory', { checkIntervalMs: true }, (wrong) =>
    createFileDirectory({ path: 'directory.yaml', ...wrong }),
  ),
  ...numbersOf<LdapDirectoryOptions>('openLdapDirectory', { timeoutMs: true, maxInFlight: true }, (wrong) =>
    openLdapDirectory({ ...ldapOptions, ...wrong }),
  ),
  ...numbersOf<OpenDirectoryOptions>('openDirectory', {}, () => undefined),
];

async function refusalOf(create: Factory, wrong: Readonly<Record<string, unknown>>): Promise<unknown> {
  try {
    await create(wrong);
    return 'accepted';
  } catch (error) {
    return error;
  }
}

describe.each(numbers)('%s: %s', (_, option, create) => {
  it.each([Number.NaN, -1, 0.5, Infinity, 2 ** 31, '5'])('refuses %s by name', async (value) => {
    const refusal = await refusalOf(create, { [option]: value });
    expect(refusal).toBeInstanceOf(RangeError);
    expect(String(refusal)).toMatch(
      new RegExp(`${option} must be a whole number from \\d+ to \\d+, got ${String(value)}$`),
    );
  });
});

describe('what has no default', () => {
  it.each<[problem: string, create: Factory, wrong: Readonly<Record<string, unknown>>]>([
    ['path must be a path, got undefined', (wrong) => createFileDirectory(wrong as never), {}],
    ['path must be a path, got ""', (wrong) => openDirectory(wrong as never), { path: '', issuer }],
    [
      'issuer must be an absolute URL, got undefined',
      (wrong) => openDirectory(wrong as never),
      { path: 'directory.yaml' },
    ],
    [
      'issuer must be an absolute URL, got undefined',
      (wrong) => createIntrospectionVerifier({ ...introspectionOptions, ...wrong }),
      { issuer: undefined },
    ],
    [
      'introspectionUrl must be an absolute URL, got undefined',
      (wrong) => createIntrospectionVerifier({ ...introspectionOptions, ...wrong }),
      { introspectionUrl: undefined },
    ],
    [
      'audience must be a URI, got undefined',
      (wrong) => createIntrospectionVerifier({ ...introspectionOptions, ...wrong }),
      { audience: undefined },
    ],
    [
      'jwt must be a list of token verifiers, got undefined',
      (wrong) => createTokenRouter(wrong as never),
      {},
    ],
    [
      'verifier must be a token verifier, got undefined',
      (wrong) => createAuthenticator({ ...authenticatorOptions, ...wrong }),
      { verifier: undefined },
    ],
    [
      'policy must be a policy, got undefined',
      (wrong) => createAuthenticator({ ...authenticatorOptions, ...wrong }),
      { policy: undefined },
    ],
    [
      'policy.freshPermissions must be a list of permissions, got undefined',
      (wrong) => createFreshPolicy(wrong as never),
      { policy: createPolicyEngine({ permissions: [], decide: () => Promise.reject(new Error()) }) },
    ],
    [
      'permissions must be a list of permissions, got undefined',
      (wrong) => createPolicyEngine(wrong as never),
      {},
    ],
    [
      'name must be a plain word of at most 64 characters, got undefined',
      (wrong) => localCaller(wrong as unknown as LocalCallerOptions),
      { permissions: [] },
    ],
  ])('%s', async (problem, create, wrong) => {
    expect(await refusalOf(create, wrong)).toEqual(new TypeError(problem));
  });
});
