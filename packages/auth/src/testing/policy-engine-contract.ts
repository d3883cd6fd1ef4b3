import { deepEqual, equal, ok, rejects } from 'node:assert/strict';

import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Decision, PolicySubject } from '../policy/policy.ts';

/** What the contract needs to know of an engine under test. */
export interface PolicyEngineFixture {
  readonly engine: PolicyEngine;
  /** Every permission it knows. */
  readonly permissions: readonly string[];
  /** A user, with groups and scopes, who may do some of it and not all. */
  readonly user: PolicySubject;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface ContractCase {
  readonly name: string;
  readonly run: (fixture: PolicyEngineFixture) => Promise<void>;
}

const signal = new AbortController().signal;
const reasons: readonly string[] = ['missing_permission', 'missing_group', 'missing_scope', 'unavailable'];

/** What every {@link PolicyEngine} promises. Run each case as a test, with a new fixture for each. */
export const policyEngineContract: readonly ContractCase[] = [
  {
    name: 'lists concrete permissions that it knows, sorted and once each',
    async run({ engine, permissions, user }) {
      const held = await engine.permissionsFor(user, { signal });
      ok(held.length > 0 && held.length < permissions.length, 'the fixture must allow some and not all');
      deepEqual(held, [...new Set(held)].toSorted());
      for (const permission of held) {
        ok(permissions.includes(permission), permission);
      }
    },
  },
  {
    name: 'decides as it lists',
    async run({ engine, permissions, user }) {
      const held = await engine.permissionsFor(user, { signal });
      for (const permission of permissions) {
        const decision = await decide(engine, user, permission);
        equal(decision.allowed, held.includes(permission), permission);
        ok(decision.allowed || reasons.includes(decision.reason), permission);
      }
    },
  },
  {
    name: 'denies what it does not know: wildcards, other cases, spaces, more segments, nothing',
    async run({ engine, permissions, user }) {
      const [held = ''] = await engine.permissionsFor(user, { signal });
      const near = [held.toUpperCase(), ` ${held}`, `${held} `, `${held}:x`, held.split(':')[0] ?? ''];
      for (const permission of ['', '*', '*:*', 'area:*', ...near]) {
        if (permissions.includes(permission)) {
          continue;
        }
        equal((await decide(engine, user, permission)).allowed, false, JSON.stringify(permission));
      }
    },
  },
  {
    name: 'gives nothing to a token without scopes: groups alone bound the person, not the client',
    async run({ engine, user }) {
      deepEqual(await engine.permissionsFor({ ...user, scopes: [] }, { signal }), []);
    },
  },
  {
    name: 'gives nothing to a user without groups',
    async run({ engine, user }) {
      deepEqual(await engine.permissionsFor({ ...user, groups: [] }, { signal }), []);
    },
  },
  {
    name: 'does not take the groups of a service for those of a person',
    async run({ engine, user }) {
      const service: PolicySubject = {
        ...user,
        kind: 'service',
        clientId: 'a-client-nobody-granted-anything',
      };
      deepEqual(await engine.permissionsFor(service, { signal }), []);
    },
  },
];

/** An engine that cannot be asked must say so: run this case with one whose back end is down. */
export const unavailableEngineCase: ContractCase = {
  name: 'says that it cannot decide when it cannot, instead of denying',
  async run({ engine, permissions, user }) {
    await rejects(async () => engine.permissionsFor(user, { signal }));
    for (const permission of permissions) {
      const decision = await decide(engine, user, permission).catch(() => undefined);
      ok(decision === undefined || (!decision.allowed && decision.reason === 'unavailable'), permission);
    }
  },
};

async function decide(engine: PolicyEngine, user: PolicySubject, permission: string): Promise<Decision> {
  const permissions = await Promise.resolve(engine.permissionsFor(user, { signal })).catch(() => []);
  return engine.decide({ ...user, permissions }, permission, { signal });
}
