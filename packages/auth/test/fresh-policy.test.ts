import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  AuthError,
  createAuthenticator,
  createFilePolicy,
  createPolicy,
  createTokenRouter,
  createTokenVerifier,
  createFreshPolicy,
  localCaller,
  createPolicyEngine,
} from '../src/index.ts';
import type { Authenticator, Caller, Directory, PolicyDocument, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const document = {
  version: 1,
  permissions: ['deploy:staging', 'deploy:production'],
  groups: ['platform', 'production-deployers'],
  grants: [
    { group: 'platform', allow: ['deploy:*'] },
    { service: 'ci-bot', allow: ['deploy:*'] },
  ],
  require: { 'deploy:production': { allGroups: ['production-deployers'], fresh: true } },
} satisfies PolicyDocument;
const policy = createPolicy(document);
const scope = 'deploy:staging deploy:production';
const { signal } = new AbortController();

let issuer: LocalIssuer;
let verifier: TokenVerifier;
let authenticator: Authenticator;
let caller: Caller;
const clock = { now: 0 };
const groupsOf = vi.fn<Directory['groupsOf']>();

beforeEach(async () => {
  clock.now = Date.now();
  groupsOf.mockReset().mockResolvedValue(['platform', 'production-deployers']);
  issuer = await startIssuer();
  verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    jwksUrl: `${issuer.issuer}/jwks`,
  });
  authenticator = createAuthenticator({ verifier, directory: { groupsOf }, policy, now: () => clock.now });
  caller = await authenticator.authenticateToken(await issuer.token({ scope }), { signal });
});
afterEach(async () => {
  await authenticator.close();
  await verifier.close();
  await issuer.close();
});

const decide = async (permission: string, by = caller) =>
  createFreshPolicy({ policy, authenticator }).decide(by, permission, { signal });

describe('createFreshPolicy', () => {
  it('denies a production deployment 30 seconds after the group was revoked, whatever is cached', async () => {
    groupsOf.mockResolvedValue(['platform']);
    clock.now += 30_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: true });
    clock.now += 1;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false, reason: 'missing_group' });
    // What has been learnt counts for the next request too.
    const next = await authenticator.authenticateToken(await issuer.token({ scope }), { signal });
    expect(next.permissions).toEqual(['deploy:staging']);
  });

  it('refuses production while the directory cannot be asked, and goes on with staging', async () => {
    groupsOf.mockRejectedValue(new Error('connection refused'));
    clock.now += 60_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false, reason: 'unavailable' });
    expect(await decide('deploy:staging')).toMatchObject({ allowed: true });
    groupsOf.mockResolvedValue(['platform', 'production-deployers']);
    clock.now += 1_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: true });
  });

  it('refuses production for an account that the directory refuses', async () => {
    groupsOf.mockRejectedValue(new AuthError('access_denied', { message: 'account disabled' }));
    clock.now += 60_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false, reason: 'missing_group' });
  });

  it('asks the directory once for many decisions', async () => {
    clock.now += 60_000;
    groupsOf.mockClear();
    await Promise.all(Array.from({ length: 50 }, () => decide('deploy:production')));
    expect(groupsOf).toHaveBeenCalledTimes(1);
  });

  it('looks groups up that the token names: a token is as old as its issue', async () => {
    await using byClaim = createAuthenticator({
      verifier: createTokenVerifier({
        issuer: issuer.issuer,
        audience: AUDIENCE,
        algorithms: ['ES256'],
        jwksUrl: `${issuer.issuer}/jwks`,
        groups: { claim: 'groups' },
      }),
      directory: { groupsOf: async () => ['platform'] },
      policy,
    });
    const groups = ['platform', 'production-deployers'];
    const by = await byClaim.authenticateToken(await issuer.token({ scope, groups }), { signal });
    expect(by.permissions).toContain('deploy:production');
    const decision = await createFreshPolicy({ policy, authenticator: byClaim }).decide(
      by,
      'deploy:production',
      {
        signal,
      },
    );
    expect(decision).toMatchObject({ allowed: false, reason: 'missing_group' });
  });

  it('has nothing to look up for services and local callers', async () => {
    groupsOf.mockClear();
    const claims = { scope, sub: 'ci-bot', client_id: 'ci-bot' };
    const service = await authenticator.authenticateToken(await issuer.token(claims), { signal });
    expect(await decide('deploy:production', service)).toMatchObject({ reason: 'missing_group' });
    const local = localCaller({ name: 'stdio', permissions: ['deploy:production'] });
    expect(await decide('deploy:production', local)).toMatchObject({ reason: 'missing_group' });
    expect(groupsOf).not.toHaveBeenCalled();
  });

  it('decides nothing for a caller that was put together elsewhere', async () => {
    const forged = {
      id: caller.id,
      kind: 'user',
      groups: caller.groups,
      permissions: caller.permissions,
    } as const;
    await expect(
      createFreshPolicy({ policy, authenticator }).decide(forged, 'deploy:production', { signal }),
    ).rejects.toThrow(TypeError);
  });

  it('does not start without a directory', () => {
    expect(() => createAuthenticator({ verifier, policy })).toThrow('need a directory');
  });

  describe('where tokens name the groups', () => {
    const byClaim = (url: string) =>
      createTokenVerifier({
        issuer: url,
        audience: AUDIENCE,
        algorithms: ['ES256'],
        groups: { claim: 'groups' },
      });
    const knowing = (...issuers: readonly string[]): Directory => ({
      groupsOf,
      knowsIssuer: (asked) => issuers.includes(asked),
    });

    it('does not start with a directory that knows nobody of their issuer: nobody could ever be fresh', () => {
      const made = () =>
        createAuthenticator({ verifier: byClaim(issuer.issuer), directory: knowing(), policy });
      expect(made).toThrow(`deploy:production is fresh, which nobody can ever be`);
      expect(made).toThrow(issuer.issuer);
    });

    it('starts with one that knows them, or some of several issuers', async () => {
      const router = createTokenRouter({ jwt: [byClaim(issuer.issuer), byClaim('https://partner.test')] });
      const named = createPolicy({ ...document, grants: document.grants.slice(0, 1) });
      const directory = knowing(issuer.issuer);
      expect(() =>
        createAuthenticator({ verifier: byClaim(issuer.issuer), directory, policy }),
      ).not.toThrow();
      expect(() => createAuthenticator({ verifier: router, directory, policy: named })).not.toThrow();
      const others = { verifier: router, directory: knowing('https://elsewhere.test'), policy: named };
      expect(() => createAuthenticator(others)).toThrow('nobody can ever be');
      await router.close();
    });

    it('refuses what is fresh to users of an issuer that the directory does not know, and says why', async () => {
      const partner = byClaim('https://partner.test');
      const router = createTokenRouter({ jwt: [byClaim(issuer.issuer), partner] });
      const named = createPolicy({ ...document, grants: document.grants.slice(0, 1) });
      const directory = knowing('https://partner.test');
      await using mixed = createAuthenticator({ verifier: router, directory, policy: named });
      const groups = ['platform', 'production-deployers'];
      const by = await mixed.authenticateToken(await issuer.token({ scope, groups }), { signal });
      expect(by.permissions).toContain('deploy:production');
      const authorizer = createFreshPolicy({ policy: named, authenticator: mixed });
      expect(await authorizer.decide(by, 'deploy:production', { signal })).toEqual({
        allowed: false,
        reason: 'missing_group',
        rule: 'require deploy:production: fresh',
      });
      expect(await authorizer.decide(by, 'deploy:staging', { signal })).toMatchObject({ allowed: true });
      await router.close();
    });

    it('does not mind where nothing is fresh, or groups come from the directory', async () => {
      const { require: _, ...rest } = document;
      const plain = createPolicy(rest);
      const directory = knowing();
      const made = [
        () => createAuthenticator({ verifier: byClaim(issuer.issuer), directory, policy: plain }),
        () => createAuthenticator({ verifier, directory, policy }),
      ];
      for (const make of made) {
        expect(make).not.toThrow();
      }
    });
  });

  describe('for a caller who stays', () => {
    it('asks the directory again when the groups have had their time', async () => {
      groupsOf.mockClear();
      clock.now += 299_999 * 0.9;
      expect(await decide('deploy:staging')).toMatchObject({ allowed: true });
      expect(groupsOf).not.toHaveBeenCalled();
      groupsOf.mockResolvedValue([]);
      clock.now = (caller.groupsAsOf ?? 0) + 360_000;
      expect(await decide('deploy:staging')).toMatchObject({ allowed: false, reason: 'missing_permission' });
    });

    it('bridges an outage of the directory, and ends it with 15 minutes', async () => {
      groupsOf.mockRejectedValue(new Error('connection refused'));
      clock.now = (caller.groupsAsOf ?? 0) + 900_000;
      expect(await decide('deploy:staging')).toMatchObject({ allowed: true });
      clock.now += 1;
      expect(await decide('deploy:staging')).toMatchObject({ allowed: false, reason: 'unavailable' });
    });

    it('leaves groups of a token and fixed permissions as they are', async () => {
      const local = localCaller({ name: 'stdio', permissions: ['deploy:staging'] });
      groupsOf.mockClear();
      clock.now += 86_400_000;
      expect(await decide('deploy:staging', local)).toMatchObject({ allowed: true });
      expect(groupsOf).not.toHaveBeenCalled();
    });
  });

  it('refuses production by keys that the issuer did not confirm for 10 minutes, and goes on with staging', async () => {
    const now = () => clock.now;
    await using old = createTokenVerifier({
      issuer: issuer.issuer,
      audience: AUDIENCE,
      algorithms: ['ES256'],
      jwksUrl: `${issuer.issuer}/jwks`,
      now,
    });
    const router = createTokenRouter({ jwt: [old] });
    await using strict = createAuthenticator({ verifier: router, directory: { groupsOf }, policy, now });
    const token = await issuer.token({ scope, exp: Math.floor(Date.now() / 1000) + 7_200 });
    const ask = async (permission: string) =>
      createFreshPolicy({ policy, authenticator: strict }).decide(
        await strict.authenticateToken(token, { signal }),
        permission,
        { signal },
      );
    expect(await ask('deploy:production')).toMatchObject({ allowed: true });
    // Nobody asked for a while; the issuer is there and confirms them.
    clock.now += 1_200_000;
    expect(await ask('deploy:production')).toMatchObject({ allowed: true });
    await issuer.close();
    clock.now += 599_999;
    expect(await ask('deploy:production')).toMatchObject({ allowed: true });
    clock.now += 1;
    expect(await ask('deploy:production')).toMatchObject({ allowed: false, reason: 'unavailable' });
    expect(await ask('deploy:staging')).toMatchObject({ allowed: true });
    expect(strict.ages()).toContainEqual(expect.objectContaining({ fact: 'keys', ageMs: 600_000 }));
  });

  it('refuses what is fresh by a policy that could not be looked at for 30 seconds, and goes on with the rest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'policy-'));
    const path = join(folder, 'policy.json');
    try {
      await writeFile(path, JSON.stringify(document));
      const now = () => clock.now;
      const file = await createFilePolicy({ path, now });
      await using strict = createAuthenticator({ verifier, directory: { groupsOf }, policy: file, now });
      const by = await strict.authenticateToken(await issuer.token({ scope }), { signal });
      const authorizer = createFreshPolicy({ policy: file, authenticator: strict });
      const ask = (permission: string) => authorizer.decide(by, permission, { signal });
      await rm(path);
      clock.now += 30_000;
      expect(await ask('deploy:production')).toMatchObject({ allowed: true });
      clock.now += 1_000;
      expect(await ask('deploy:production')).toMatchObject({ allowed: false, reason: 'unavailable' });
      expect(await ask('deploy:staging')).toMatchObject({ allowed: true });
      expect(strict.ages()).toContainEqual(
        expect.objectContaining({ fact: 'policy', ageMs: 31_000, failingMs: 1_000 }),
      );

      // Fresh from now on, and decided so by the version that says it.
      const everything = { ...document.require, 'deploy:staging': { fresh: true as const } };
      await writeFile(path, JSON.stringify({ ...document, require: everything }));
      groupsOf.mockRejectedValue(new Error('connection refused'));
      clock.now += 1_000;
      expect(await ask('deploy:staging')).toMatchObject({ allowed: false, reason: 'unavailable' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('ages', () => {
  it('are those of keys, groups and whatever else callers rest on', async () => {
    expect(authenticator.ages()).toEqual([
      { fact: 'keys', ageMs: expect.any(Number), limitMs: 3_600_000, failingMs: 0 },
      { fact: 'groups', ageMs: 0, limitMs: 900_000, failingMs: 0 },
    ]);
    groupsOf.mockRejectedValue(new Error('connection refused'));
    clock.now += 60_000;
    await decide('deploy:production');
    clock.now += 5_000;
    expect(authenticator.ages()).toContainEqual({
      fact: 'groups',
      ageMs: 65_000,
      limitMs: 900_000,
      failingMs: 5_000,
    });
  });

  it('of keys say how long their issuer has failed', async () => {
    await issuer.close();
    await using other = createTokenVerifier({
      issuer: issuer.issuer,
      audience: AUDIENCE,
      algorithms: ['ES256'],
      now: () => clock.now,
    });
    expect(other.ages?.()).toEqual([]);
    await expect(other.verify(await issuer.token({ scope }), { signal })).rejects.toMatchObject({
      code: 'unavailable',
    });
    clock.now += 7_000;
    expect(other.ages?.()).toEqual([{ fact: 'keys', ageMs: 7_000, limitMs: 3_600_000, failingMs: 7_000 }]);
  });
});

describe('a policy engine that cannot be asked', () => {
  it('makes sign-in unavailable, not empty', async () => {
    const engine = createPolicyEngine({
      permissions: ['deploy:staging'],
      decide: () => Promise.reject(new Error('http://10.0.0.9/v1/data: connection refused')),
    });
    await using other = createAuthenticator({ verifier, directory: { groupsOf }, policy: engine });
    await expect(other.authenticateToken(await issuer.token({ scope }), { signal })).rejects.toMatchObject({
      code: 'unavailable',
      publicMessage: expect.not.stringContaining('10.0.0.9'),
    });
  });
});
