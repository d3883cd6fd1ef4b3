import { AuthError, type Policy } from '@mcp-parts/auth';

import type { DeniedRequest } from './gate.ts';

/** What a step-up is worked out from besides the denials. */
export interface StepUpOptions {
  readonly basicScopes: readonly string[];
  readonly policy?: Pick<Policy, 'scopesFor'> | undefined;
}

/**
 * What a client has to get before its requests can run, for those that are denied for want of a scope, which it cures
 * with a new token and so must learn over HTTP (2026-07-28, basic/authorization, "Runtime Insufficient Scope Errors"),
 * and for those that nobody can decide. Every other denial is the call's own to tell: no token would help.
 */
export function stepUpFor(
  denied: readonly DeniedRequest[],
  { basicScopes, policy }: StepUpOptions,
): AuthError | undefined {
  const undecided = denied.find(({ denial }) => denial.decision.reason === 'unavailable');
  if (undecided !== undefined) {
    return new AuthError('unavailable', {
      message: `nobody can decide on ${undecided.denial.permission}`,
      retryAfterMs: 5_000,
    });
  }
  const missing = denied
    .filter(({ denial }) => denial.decision.reason === 'missing_scope')
    .map(({ denial }) => denial.permission);
  const [first] = missing;
  if (first === undefined) {
    return undefined;
  }
  // All at once, the basic ones included: a client may ask for exactly these.
  const needed = (policy?.scopesFor ?? ((permissions) => permissions))(missing);
  return new AuthError('insufficient_scope', {
    message: `the token lacks scopes for ${first}`,
    requiredScopes: [...new Set([...basicScopes, ...needed])],
  });
}
