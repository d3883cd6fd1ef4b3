import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  AuthError,
  createAuthenticator,
  createPolicy,
  createTokenVerifier,
  createFreshPolicy,
  localCaller,
  createPolicyEngine,
} from '../src/index.ts';
import type { Authenticator, Caller, Directory, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const policy = createPolicy({
  version: 1,
  permissions: ['deploy:staging', 'deploy:production'],
  groups: ['platform', 'production-deployers'],
  grants: [
    { group: 'platform', allow: ['deploy:*'] },
    { service: 'ci-bot', allow: ['deploy:*'] },
  ],
  require: { 'deploy:production': { allGroups: ['production-deployers'], fresh: true } },
});
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
