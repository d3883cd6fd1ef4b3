import type { Answer } from './answer.ts';
import type { Verdict } from './circuit-breaker.ts';
import type { Failure } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { Policy } from './policy.ts';
import { limitTime, stopCodeOf } from './time-limit.ts';
import type { Transport, WireRequest } from './transport.ts';

/** What one request brought: a complete answer of any status, or none. */
export type AttemptResult =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Sends one request under its own timer, on a signal of its own: one that has been aborted kills every later attempt. */
export async function sendAttempt(
  transport: Transport,
  request: Omit<WireRequest, 'signal' | 'maxResponseBytes'>,
  context: { callSignal: AbortSignal; policy: Policy; clock: Clock },
): Promise<AttemptResult> {
  const { callSignal, policy, clock } = context;
  const limit = limitTime({
    parent: callSignal,
    limitMs: policy.attemptTimeoutMs,
    onLimit: 'timeout',
    clock,
  });
  try {
    const { maxResponseBytes } = policy;
    const outcome = await transport.send({ ...request, maxResponseBytes, signal: limit.signal });
    switch (outcome.kind) {
      case 'answered':
        return { kind: 'answered', answer: outcome };
      case 'too_large':
        return {
          kind: 'failed',
          failure: { code: 'response_too_large', sent: 'yes', status: outcome.status },
        };
      case 'lost': {
        const code = limit.signal.aborted ? stopCodeOf(limit.signal) : 'network';
        return { kind: 'failed', failure: { code, sent: outcome.sent, cause: outcome.cause } };
      }
      default:
        return outcome satisfies never;
    }
  } finally {
    limit.release();
  }
}

/** What an attempt says about the backend's health: an answer below 500 is health, whatever it says. */
export function judgeAttempt(result: AttemptResult, deadlineIsInherited: boolean): Verdict {
  if (result.kind === 'answered') {
    const { status } = result.answer;
    if (status === 429) return 'neutral';
    return status >= 500 && status !== 501 ? 'failure' : 'success';
  }
  const { code } = result.failure;
  if (code === 'cancelled') return 'neutral';
  // A caller in a hurry proves nothing; a backend that outlasts our own deadline does.
  if (code === 'deadline_exceeded') return deadlineIsInherited ? 'neutral' : 'failure';
  return code === 'response_too_large' ? 'success' : 'failure';
}
