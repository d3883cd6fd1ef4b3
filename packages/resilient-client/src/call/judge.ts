import type { Failure } from '../errors/failure.ts';
import type { CallPolicy, CircuitOutcome } from '../protection/call-policy.ts';
import type { Verdict } from '../protection/circuit-breaker.ts';

/** What a response says about the upstream's health: below 500 it is health, whatever it says. */
export function judgeStatus(status: number): Verdict {
  // Refused for load, which says that somebody is there and no more.
  if (status === 429) {
    return 'neutral';
  }
  return status >= 500 && status !== 501 ? 'failure' : 'success';
}

/**
 * What a request without a complete response says; undefined for nothing. One of which nothing left says something only
 * where nobody was there: an unknown name, an untrusted certificate or a refused header is this side's affair.
 */
export function judgeLoss(failure: Failure, deadlineIsInherited: boolean): Verdict | undefined {
  const { code, sent, status, cause } = failure;
  if (code === 'response_too_large' && status !== undefined) {
    return judgeStatus(status);
  }
  if (code === 'timeout') {
    return 'failure';
  }
  // A caller in a hurry proves nothing; an upstream that outlasts our own deadline does.
  if (code === 'deadline_exceeded') {
    return deadlineIsInherited ? undefined : 'failure';
  }
  return code === 'network' && (sent !== 'no' || isUnreachable(cause)) ? 'failure' : undefined;
}

/** The verdict on a whole call: that of whoever wrote the policy, else what its last telling attempt said. */
export function judgeCall(
  outcome: CircuitOutcome,
  evidence: Verdict | undefined,
  isFailure: CallPolicy['breaker']['isFailure'],
): Verdict {
  // Whoever gives up says nothing about the upstream, nor does what this client refused itself.
  if (outcome.code === 'cancelled' || outcome.attempts === 0) {
    return 'neutral';
  }
  const decided = isFailure && ask(isFailure, outcome);
  if (decided === undefined) {
    return evidence ?? 'neutral';
  }
  if (decided) {
    return 'failure';
  }
  return evidence === undefined ? 'neutral' : 'success';
}

/** A broken predicate is its owner's problem, and must not break the call that it is asked about. */
function ask(
  isFailure: (outcome: CircuitOutcome) => boolean | undefined,
  outcome: CircuitOutcome,
): boolean | undefined {
  try {
    return isFailure(outcome);
  } catch {
    return undefined;
  }
}

/** Whether nobody took the connection. */
function isUnreachable(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && UNREACHABLE.has(String(cause.code));
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
