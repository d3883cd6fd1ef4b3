import { describe, expect, it, vi } from 'vitest';

import { policyEngineContract, unavailableEngineCase } from '../testing.ts';
import { createPolicyEngine } from './policy-engine.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { createPolicy } from './policy.ts';
import type { Decision, PolicySubject } from './policy.ts';

const { signal } = new AbortController();
const permissions = ['deploy:production', 'deploy:staging', 'logs:read'];
const user: PolicySubject = { kind: 'user', groups: ['platform'], scopes: ['deploy:staging', 'logs:read'] };

/** Stands for Cedar or OPA: rules that are asked over a wire, one question at a time. */
async function remoteDecision(subject: PolicySubject, permission: string): Promise<Decision> {
  await Promise.resolve();
  if (subject.kind !== 'user' || !subject.groups.includes('platform')) {
    return { allowed: false, reason: 'missing_permission' };
  }
  if (!(subject.scopes ?? []).includes(permission)) {
    return { allowed: false, reason: 'missing_scope' };
  }
  return { allowed: true, rule: 'policy0' };
}

const engines: Readonly<Record<string, () => PolicyEngine>> = {
  createPolicy: () =>
    createPolicy({
      version: 1,
      permissions,
      groups: ['platform'],
      grants: [{ group: 'platform', allow: ['deploy:*', 'logs:read'] }],
    }),
  createPolicyEngine: () => createPolicyEngine({ permissions, decide: remoteDecision }),
};

describe.each(Object.entries(engines))('%s', (_, create) => {
  it.each(policyEngineContract)('$name', async ({ run }) => {
    await run({ engine: create(), permissions, user });
    expect.assertions(0);
  });
});

describe('createPolicyEngine', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('connection refused'))],
    ['says unavailable', async (): Promise<Decision> => ({ allowed: false, reason: 'unavailable' })],
  ])(`${unavailableEngineCase.name} (the engine %s)`, async (_, decide) => {
    await unavailableEngineCase.run({
      engine: createPolicyEngine({ permissions, decide }),
      permissions,
      user,
    });
    expect.assertions(0);
  });

  it('never asks about a permission that does not exist, and passes the signal on', async () => {
    const decide = vi.fn<typeof remoteDecision>(remoteDecision);
    const engine = createPolicyEngine({ permissions, decide });
    await engine.decide({ ...user, permissions: [] }, 'deploy:*', { signal });
    expect(decide).not.toHaveBeenCalled();
    await engine.decide({ ...user, permissions: [] }, 'logs:read', { signal });
    expect(decide).toHaveBeenCalledWith(expect.anything(), 'logs:read', { signal });
  });

  it('does not start with a wildcard for a permission', () => {
    expect(() => createPolicyEngine({ permissions: ['deploy:*'], decide: remoteDecision })).toThrow(
      TypeError,
    );
  });
});
