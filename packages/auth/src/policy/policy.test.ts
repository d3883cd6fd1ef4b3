import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { localCaller } from '../authenticator/caller.ts';
import type { PolicyDocument, PolicySubject } from '../index.ts';
import { createPolicy } from './policy.ts';

const document: PolicyDocument = {
  version: 1,
  permissions: ['deploy:read', 'deploy:staging', 'deploy:production', 'deployments:read', 'logs:read'],
  groups: ['platform', 'production-deployers', 'readers'],
  grants: [
    { group: 'platform', allow: ['deploy:*', 'logs:read'] },
    { group: 'readers', allow: ['deploy:read'] },
    { service: 'ci-bot', allow: ['deploy:staging', 'deploy:production'] },
  ],
  require: { 'deploy:production': { allGroups: ['production-deployers'], scopes: ['deploy:production'] } },
  scopes: {
    'deploy:write': ['deploy:read', 'deploy:staging'],
    'deploy:admin': ['deploy:read', 'deploy:staging', 'deploy:production'],
    everything: ['*'],
  },
};
const policy = createPolicy(document);
const { signal } = new AbortController();

const user = (groups: string[], scopes: string[]): PolicySubject => ({ kind: 'user', groups, scopes });
const service = (clientId: string, scopes: string[]): PolicySubject => ({
  kind: 'service',
  clientId,
  groups: [],
  scopes,
});

describe('permissionsFor', () => {
  it.each([
    ['no groups, no scopes', user([], []), []],
    ['groups without scopes', user(['platform'], []), []],
    ['scopes without groups', user([], ['everything']), []],
    ['an unknown scope', user(['platform'], ['offline_access']), []],
    ['a scope of the name of a permission', user(['readers'], ['deploy:read']), ['deploy:read']],
    [
      'the person may more than the scope says',
      user(['platform'], ['deploy:write']),
      ['deploy:read', 'deploy:staging'],
    ],
    ['the scope says more than the person may', user(['readers'], ['deploy:write']), ['deploy:read']],
    ['a wildcard grant without the required group', user(['platform'], ['deploy:production']), []],
    ['the required group without a grant', user(['production-deployers'], ['deploy:production']), []],
    [
      'grant, group and scope',
      user(['platform', 'production-deployers'], ['deploy:production']),
      ['deploy:production'],
    ],
    [
      'a broader scope that names the required one',
      user(['platform', 'production-deployers'], ['deploy:admin']),
      ['deploy:production', 'deploy:read', 'deploy:staging'],
    ],
    [
      'a wildcard scope does not hand out a required one',
      user(['platform', 'production-deployers'], ['everything']),
      ['deploy:read', 'deploy:staging', 'logs:read'],
    ],
    ['a group whose name differs in case', user(['Platform'], ['everything']), []],
    ['a service by its client id', service('ci-bot', ['everything']), ['deploy:staging']],
    ['another service', service('other-bot', ['everything']), []],
    ['a user through the client of a service', { ...user([], ['everything']), clientId: 'ci-bot' }, []],
    ['a service that claims groups', { ...service('x', ['everything']), groups: ['platform'] }, []],
  ])('%s', (_, subject, expected) => {
    expect(policy.permissionsFor(subject)).toEqual(expected);
  });
});

describe('decide', () => {
  const decide = (subject: PolicySubject, permission: string) =>
    policy.decide({ ...subject, permissions: policy.permissionsFor(subject) }, permission, { signal });

  it.each([
    ['an unknown permission', user(['platform'], ['everything']), 'deploy:everything', 'missing_permission'],
    ['a wildcard as a permission', user(['platform'], ['everything']), 'deploy:*', 'missing_permission'],
    ['another case', user(['platform'], ['everything']), 'deploy:STAGING', 'missing_permission'],
    ['nothing granted', user(['readers'], ['everything']), 'deploy:staging', 'missing_permission'],
    ['the scope lacks', user(['platform'], ['deploy:read']), 'deploy:staging', 'missing_scope'],
    [
      'the required group lacks',
      user(['platform'], ['deploy:production']),
      'deploy:production',
      'missing_group',
    ],
    [
      'the required scope lacks',
      user(['platform', 'production-deployers'], ['everything']),
      'deploy:production',
      'missing_scope',
    ],
    // A new token cannot cure a missing group, so the client must not be sent for one.
    ['group and scope lack', user(['platform'], []), 'deploy:production', 'missing_group'],
  ])('denies when %s', (_, subject, permission, reason) => {
    expect(decide(subject, permission)).toMatchObject({ allowed: false, reason });
  });

  it('names the grant that allows', () => {
    expect(decide(user(['platform'], ['deploy:write']), 'deploy:staging')).toEqual({
      allowed: true,
      rule: 'grant group platform: deploy:*',
    });
  });

  it('checks requirements whatever the caller says it holds', () => {
    const caller = { kind: 'user', groups: [], permissions: ['deploy:production'] } as const;
    expect(policy.decide(caller, 'deploy:production', { signal })).toMatchObject({ reason: 'missing_group' });
  });

  it('allows a local caller its fixed permissions, but none with a requirement', () => {
    const caller = localCaller({ name: 'stdio', permissions: ['deploy:read', 'deploy:production'] });
    expect(policy.decide(caller, 'deploy:read', { signal }).allowed).toBe(true);
    expect(policy.decide(caller, 'deploy:production', { signal }).allowed).toBe(false);
    expect(policy.decide(caller, 'deploy:staging', { signal }).allowed).toBe(false);
  });
});

describe('scopesFor', () => {
  it.each([
    [['deploy:staging'], ['deploy:write']],
    [['deploy:production'], ['deploy:production']],
    [
      ['deploy:staging', 'deploy:production'],
      ['deploy:production', 'deploy:write'],
    ],
    [['unknown'], []],
  ])('%j needs %j', (permissions, scopes) => {
    expect(policy.scopesFor(permissions)).toEqual(scopes);
  });
});

describe('includesScope', () => {
  it.each([
    [['deploy:write'], 'deploy:write', true],
    [['deploy:write'], 'deploy:read', true],
    [['deploy:admin'], 'deploy:write', true],
    [['everything'], 'deploy:read', true],
    [['deploy:read', 'deploy:staging'], 'deploy:write', true],
    [['deploy:read'], 'deploy:write', false],
    [['deploy:write'], 'deploy:admin', false],
    [['everything'], 'offline_access', false],
    [['offline_access'], 'offline_access', true],
    [[], 'deploy:read', false],
  ])('%j has the reach of %s: %s', (scopes, wanted, expected) => {
    expect(policy.includesScope(scopes, wanted)).toBe(expected);
  });
});

describe('every policy', () => {
  const permissions = document.permissions;
  const groups = document.groups;
  const pattern = fc.constantFrom(...permissions, 'deploy:*', '*');
  const allow = fc.array(pattern, { minLength: 1, maxLength: 3 });
  const group = fc.constantFrom(...groups);
  const grant = fc.oneof(fc.record({ group, allow }), fc.record({ service: fc.constant('ci-bot'), allow }));
  const scopes = fc.dictionary(fc.constantFrom('read', 'write', 'admin'), allow);
  const permission = fc.constantFrom(...permissions);
  const requirement = fc.record({
    allGroups: fc.array(group, { minLength: 1, maxLength: 2 }),
    scopes: fc.array(permission, { minLength: 1, maxLength: 2 }),
  });
  const require = fc.dictionary(permission, requirement);
  const anyDocument = fc.record({
    version: fc.constant(1 as const),
    permissions: fc.constant(permissions),
    groups: fc.constant(groups),
    grants: fc.array(grant, { maxLength: 4 }),
    require,
    scopes,
  });
  const anySubject: fc.Arbitrary<PolicySubject> = fc.record({
    kind: fc.constantFrom('user', 'service'),
    clientId: fc.constantFrom('ci-bot', 'editor'),
    groups: fc.subarray([...groups]),
    scopes: fc.subarray([...permissions, 'read', 'write', 'admin']),
  });
  const held = (document: PolicyDocument, subject: PolicySubject) =>
    createPolicy(document).permissionsFor(subject);
  const missing = (wanted: readonly string[], held: readonly string[]) =>
    wanted.filter((permission) => !held.includes(permission));

  it('loses no permission by one more grant', () => {
    fc.assert(
      fc.property(anyDocument, grant, anySubject, (document, extra, subject) => {
        const before = held(document, subject);
        const after = held({ ...document, grants: [...document.grants, extra] }, subject);
        expect(missing(before, after)).toEqual([]);
      }),
    );
  });

  it('gains no permission by one more requirement', () => {
    fc.assert(
      fc.property(anyDocument, permission, requirement, anySubject, (document, target, extra, subject) => {
        const old = document.require[target];
        const merged = {
          allGroups: [...(old?.allGroups ?? []), ...extra.allGroups],
          scopes: [...(old?.scopes ?? []), ...extra.scopes],
        };
        const after = held({ ...document, require: { ...document.require, [target]: merged } }, subject);
        expect(missing(after, held(document, subject))).toEqual([]);
      }),
    );
  });

  it('loses nothing by one more scope in the token, and gives nothing without scopes', () => {
    fc.assert(
      fc.property(anyDocument, anySubject, permission, (document, subject, extra) => {
        const more = { ...subject, scopes: [...(subject.scopes ?? []), extra] };
        expect(missing(held(document, subject), held(document, more))).toEqual([]);
        expect(held(document, { ...subject, scopes: [] })).toEqual([]);
      }),
    );
  });

  it('decides as it lists', () => {
    fc.assert(
      fc.property(anyDocument, anySubject, permission, (document, subject, wanted) => {
        const policy = createPolicy(document);
        const permissions = policy.permissionsFor(subject);
        const { allowed } = policy.decide({ ...subject, permissions }, wanted, { signal });
        expect(allowed).toBe(permissions.includes(wanted));
      }),
    );
  });

  it('asks for scopes that are enough', () => {
    fc.assert(
      fc.property(anyDocument, fc.subarray([...permissions]), (document, wanted) => {
        const everyone = [{ group: 'platform', allow: ['*'] }];
        const policy = createPolicy({ ...document, grants: everyone });
        const subject = user([...groups], [...policy.scopesFor(wanted)]);
        expect(missing(wanted, policy.permissionsFor(subject))).toEqual([]);
      }),
    );
  });
});
