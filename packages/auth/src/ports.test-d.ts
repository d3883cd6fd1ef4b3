import { describe, expectTypeOf, it } from 'vitest';

import type { Caller, Policy } from './index.ts';

// The ports that a server declares, written out: this package must fit them without importing them.
interface PortCaller {
  id: string;
  kind: 'user' | 'service';
  displayName?: string | undefined;
  email?: string | undefined;
  groups: readonly string[];
  permissions: readonly string[];
  obtainablePermissions?: readonly string[] | undefined;
}
type PortDecision =
  | { allowed: true; rule: string }
  | {
      allowed: false;
      reason: 'missing_permission' | 'missing_scope' | 'missing_group' | 'unavailable';
      rule?: string | undefined;
    };
interface PortAuthorizer {
  // A property, not a method: parameters are then compared strictly.
  decide: (
    caller: PortCaller,
    permission: string,
    options: { signal: AbortSignal },
  ) => PortDecision | Promise<PortDecision>;
}

describe('the ports of a server', () => {
  it('is satisfied by our caller', () => expectTypeOf<Caller>().toExtend<PortCaller>());
  it('is satisfied by our policy', () => expectTypeOf<Policy>().toExtend<PortAuthorizer>());
  it('offers no token on a caller', () => expectTypeOf<Caller>().not.toHaveProperty('token'));
});
