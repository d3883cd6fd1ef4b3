import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  AuthError,
  createAuthenticator,
  createPolicy,
  createTokenVerifier,
  localCaller,
} from '../src/index.ts';
import type {
  Authenticator,
  AuthenticatorOptions,
  Directory,
  Principal,
  TokenVerifier,
  TokenVerifierOptions,
} from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const policy = createPolicy({
  version: 1,
  permissions: ['deploy:read', 'deploy:staging', 'deploy:production'],
  groups: ['platform', 'production-deployers'],
  grants: [
    { group: 'platform', allow: ['deploy:*'] },
    { service: 'ci-bot', allow: ['deploy:staging'] },
  ],
  require: { 'deploy:production': { allGroups: ['production-deployers'], scopes: ['deploy:production'] } },
  scopes: { 'deploy:write': ['deploy:read', 'deploy:staging'] },
});
const { signal } = new AbortController();
type GroupsOf = Directory['groupsOf'];

let issuer: LocalIssuer;
let verifier: TokenVerifier;
let authenticators: Authenticator[];
beforeEach(async () => {
  issuer = await startIssuer();
  verifier = verifierWith({});
  authenticators = [];
});
afterEach(async () => {
  for (const authenticator of authenticators) {
    await authenticator.close();
  }
  await verifier.close();
  await issuer.close();
});

function verifierWith(options: Partial<TokenVerifierOptions>): TokenVerifier {
  const jwksUrl = `${issuer.issuer}/jwks`;
  return createTokenVerifier({
    issuer: issuer.issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    jwksUrl,
    ...options,
  });
}
function authenticatorWith(groupsOf: GroupsOf, options: Partial<AuthenticatorOptions> = {}): Authenticator {
  const authenticator = createAuthenticator({ verifier, directory: { groupsOf }, policy, ...options });
  authenticators.push(authenticator);
  return authenticator;
}

describe('createAuthenticator', () => {
  it('makes a caller of a token: identity, groups, effective permissions, no token', async () => {
    const authenticator = authenticatorWith(async () => ['platform', 'production-deployers']);
    const claims = {
      scope: 'deploy:write deploy:production',
      name: 'Alice A.',
      email: 'a@example.test',
      exp: 4e9,
    };
    const token = await issuer.token(claims);
    const caller = await authenticator.authenticate(`bearer ${token}`, { signal });
    expect(caller).toEqual({
      id: `${issuer.issuer}#alice`,
      issuer: issuer.issuer,
      subject: 'alice',
      kind: 'user',
      clientId: 'editor',
      displayName: 'Alice A.',
      email: 'a@example.test',
      groups: ['platform', 'production-deployers'],
      permissions: ['deploy:production', 'deploy:read', 'deploy:staging'],
      obtainablePermissions: ['deploy:production', 'deploy:read', 'deploy:staging'],
      scopes: ['deploy:write', 'deploy:production'],
      expiresAt: 4e12,
      groupsAsOf: expect.any(Number),
    });
  });

  it('tells what a better token would open, over HTTP only, where one can be asked for', async () => {
    const authenticator = authenticatorWith(async () => ['platform']);
    const token = await issuer.token({ scope: 'deploy:read' });
    expect(await authenticator.authenticate(`Bearer ${token}`, { signal })).toMatchObject({
      permissions: ['deploy:read'],
      // Not production: no token opens it without the group.
      obtainablePermissions: ['deploy:read', 'deploy:staging'],
    });
    const local = await authenticator.authenticateToken(token, { signal });
    expect(local).not.toHaveProperty('obtainablePermissions');
  });

  it('gives a service what its grants say, without the directory', async () => {
    const groupsOf = vi.fn<GroupsOf>(async () => ['platform', 'production-deployers']);
    const authenticator = authenticatorWith(groupsOf);
    const token = await issuer.token({
      sub: 'ci-bot',
      client_id: 'ci-bot',
      scope: 'deploy:write deploy:production',
    });
    const caller = await authenticator.authenticateToken(token, { signal });
    expect(caller).toMatchObject({ kind: 'service', groups: [], permissions: ['deploy:staging'] });
    expect(groupsOf).not.toHaveBeenCalled();
  });

  it('does not take a user for a service because of the client', async () => {
    const authenticator = authenticatorWith(async () => []);
    const token = await issuer.token({ sub: 'alice', client_id: 'ci-bot' });
    const caller = await authenticator.authenticateToken(token, { signal });
    expect(caller).toMatchObject({ kind: 'user', permissions: [] });
  });

  it('asks the directory once for a user, then again after five minutes, give or take 30 seconds', async () => {
    for (const [random, ttlMs] of [
      [0, 270_000],
      [1, 330_000],
    ] as const) {
      const clock = { now: Date.now() };
      const startedAt = clock.now;
      const groupsOf = vi.fn<GroupsOf>(async () => ['platform']);
      const authenticator = authenticatorWith(groupsOf, { now: () => clock.now, random: () => random });
      const token = await issuer.token();
      const call = () => authenticator.authenticateToken(token, { signal });
      await Promise.all([call(), call(), call()]);
      clock.now = startedAt + ttlMs * 0.8 - 1;
      expect(await call()).toMatchObject({ groupsAsOf: startedAt });
      expect(groupsOf).toHaveBeenCalledTimes(1);
      clock.now = startedAt + ttlMs;
      expect(await call()).toMatchObject({ groupsAsOf: clock.now });
      expect(groupsOf).toHaveBeenCalledTimes(2);
    }
  });

  it('goes on through an outage of the directory for 15 minutes, then is unavailable, then recovers', async () => {
    const clock = { now: Date.now() };
    const groupsOf = vi.fn<GroupsOf>(async () => ['platform']);
    const authenticator = authenticatorWith(groupsOf, { now: () => clock.now });
    const token = await issuer.token();
    const call = () => authenticator.authenticateToken(token, { signal });
    await call();
    groupsOf.mockRejectedValue(new Error('connection refused'));
    clock.now += 900_000;
    expect(await call()).toMatchObject({ groups: ['platform'] });
    clock.now += 1_001;
    await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
    groupsOf.mockResolvedValue(['platform']);
    clock.now += 30_000;
    expect(await call()).toMatchObject({ groupsAsOf: clock.now });
  });

  it('takes a refusal for an answer: it ends an older one, and is asked about again after 30 seconds', async () => {
    const clock = { now: Date.now() };
    const groupsOf = vi.fn<GroupsOf>(async () => ['platform']);
    const authenticator = authenticatorWith(groupsOf, { now: () => clock.now });
    const token = await issuer.token();
    const call = () => authenticator.authenticateToken(token, { signal });
    await call();
    groupsOf.mockRejectedValue(new AuthError('access_denied', { message: 'account disabled' }));
    clock.now += 330_000;
    await expect(call()).rejects.toMatchObject({ code: 'access_denied' });
    groupsOf.mockResolvedValue(['platform']);
    clock.now += 23_999;
    await expect(call()).rejects.toMatchObject({ code: 'access_denied' });
    clock.now += 6_001;
    expect(await call()).toMatchObject({ groups: ['platform'] });
  });

  it('forgets groups on demand, of one or of all', async () => {
    const groupsOf = vi.fn<GroupsOf>(async () => ['platform']);
    const authenticator = authenticatorWith(groupsOf);
    const tokens = await Promise.all(['alice', 'bob'].map((sub) => issuer.token({ sub })));
    const call = () => Promise.all(tokens.map((token) => authenticator.authenticateToken(token, { signal })));
    const [alice] = await call();
    authenticator.invalidate(alice?.id ?? '');
    await call();
    expect(groupsOf).toHaveBeenCalledTimes(3);
    authenticator.clear();
    await call();
    expect(groupsOf).toHaveBeenCalledTimes(5);
  });

  it('asks again after 30 seconds when there were no groups', async () => {
    const clock = { now: Date.now() };
    const groupsOf = vi.fn<GroupsOf>(async () => []);
    const authenticator = authenticatorWith(groupsOf, { now: () => clock.now });
    const token = await issuer.token();
    await authenticator.authenticateToken(token, { signal });
    clock.now += 30_000;
    await authenticator.authenticateToken(token, { signal });
    expect(groupsOf).toHaveBeenCalledTimes(2);
  });

  it('verifies a token every time: cached groups do not keep an expired one alive', async () => {
    const clock = { now: Date.now() };
    const authenticator = authenticatorWith(async () => ['platform'], {
      verifier: verifierWith({ now: () => clock.now }),
    });
    const token = await issuer.token();
    await authenticator.authenticateToken(token, { signal });
    clock.now += 400_000;
    await expect(authenticator.authenticateToken(token, { signal })).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  it('gives each of two users their own groups, asked for once each', async () => {
    const groupsOf = vi.fn<GroupsOf>(async ({ subject }: Principal) =>
      subject === 'alice' ? ['platform'] : [],
    );
    const authenticator = authenticatorWith(groupsOf);
    const tokens = await Promise.all(['alice', 'bob'].map((sub) => issuer.token({ sub })));
    const callers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        authenticator.authenticateToken(tokens[index % 2] ?? '', { signal }),
      ),
    );
    for (const [index, caller] of callers.entries()) {
      expect([caller.subject, caller.groups]).toEqual(
        index % 2 === 0 ? ['alice', ['platform']] : ['bob', []],
      );
    }
    expect(groupsOf).toHaveBeenCalledTimes(2);
  });

  it('keeps cached groups apart from the list the directory gave', async () => {
    const given = ['platform'];
    const authenticator = authenticatorWith(async () => given);
    const token = await issuer.token();
    const { groups } = await authenticator.authenticateToken(token, { signal });
    given.push('production-deployers');
    expect(groups).toEqual(['platform']);
    expect(Object.isFrozen(groups)).toBe(true);
  });

  it('is unavailable when the directory fails, and asks again a second later', async () => {
    const groupsOf = vi.fn<GroupsOf>();
    groupsOf.mockRejectedValueOnce(new Error('ldap://10.0.0.3 is down')).mockResolvedValue(['platform']);
    const clock = { now: Date.now() };
    const authenticator = authenticatorWith(groupsOf, { now: () => clock.now });
    const token = await issuer.token();
    const error: unknown = await authenticator
      .authenticateToken(token, { signal })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({
      code: 'unavailable',
      retryAfterMs: 1_000,
      publicMessage: expect.not.stringContaining('ldap'),
    });
    clock.now += 1_000;
    await expect(authenticator.authenticateToken(token, { signal })).resolves.toMatchObject({
      groups: ['platform'],
    });
  });

  it('passes on the abort of a caller who leaves, and ends look-ups when it closes', async () => {
    const lookups: AbortSignal[] = [];
    const authenticator = authenticatorWith((_, { signal }) => {
      lookups.push(signal);
      return new Promise(() => undefined);
    });
    const token = await issuer.token();
    const leaving = new AbortController();
    const left = authenticator.authenticateToken(token, { signal: leaving.signal });
    const stayed = authenticator.authenticateToken(token, { signal });
    await vi.waitFor(() => expect(lookups).toHaveLength(1));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(lookups[0]?.aborted).toBe(false);
    const closing = authenticator.close();
    await expect(stayed).rejects.toMatchObject({ code: 'unavailable' });
    await closing;
    expect(lookups[0]?.aborted).toBe(true);
  });

  it('needs no token type of RFC 9068 when told so, and still our audience', async () => {
    const authenticator = authenticatorWith(async () => [], { verifier: verifierWith({ tokenType: 'JWT' }) });
    const call = async (claims: object) =>
      authenticator.authenticateToken(await issuer.token({ ...claims }, { typ: 'JWT' }), { signal });
    await expect(call({})).resolves.toMatchObject({ subject: 'alice' });
    await expect(call({ aud: 'editor' })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('accepts extra audiences only when told so, and another spelling of our own always', async () => {
    const lenient = authenticatorWith(async () => [], {
      verifier: verifierWith({ allowExtraAudiences: true }),
    });
    const shared = await issuer.token({ aud: [AUDIENCE, 'https://other.test'] });
    await expect(lenient.authenticateToken(shared, { signal })).resolves.toMatchObject({ subject: 'alice' });
    const respelt = await issuer.token({ aud: ['HTTPS://MCP.example.test/mcp/'] });
    const strict = authenticatorWith(async () => []);
    await expect(strict.authenticateToken(respelt, { signal })).resolves.toMatchObject({ subject: 'alice' });
  });
});

describe('localCaller', () => {
  it.each(['', 'alice@example.test', 'a b', 'x'.repeat(65), 'a\nb'])('refuses the name %j', (name) => {
    expect(() => localCaller({ name, permissions: [] })).toThrow(TypeError);
  });

  it('refuses a wildcard', () => {
    expect(() => localCaller({ name: 'stdio', permissions: ['deploy:*'] })).toThrow(TypeError);
  });
});
