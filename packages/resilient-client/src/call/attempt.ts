import type { ClientErrorCode, Failure } from '../errors/failure.ts';
import type { Transport, WireOutcome, WireResponse } from '../http/wire.ts';
import type { Bulkhead } from '../protection/bulkhead.ts';
import type { Passage, Verdict } from '../protection/circuit-breaker.ts';
import type { RetryBudget } from '../protection/retry-budget.ts';
import type { Clock } from '../time/clock.ts';
import type { AttemptLimit, CallLimit } from '../time/deadline.ts';
import { stopCodeOf } from '../time/stop-signal.ts';
import type { TokenSource } from '../tokens/source.ts';
import { callerOf } from './caller.ts';
import { judgeLoss, judgeStatus } from './judge.ts';
import type { CallRequest } from './prepare-request.ts';
import type { Route } from './route.ts';
import type { CallTrace } from './telemetry.ts';

/** What a call is made of once its input has been checked and written out. */
export interface PreparedInput {
  readonly route: Route;
  readonly request: CallRequest;
  readonly limit: CallLimit;
  readonly deadlineIsInherited: boolean;
  readonly token: TokenSource | undefined;
  /** Whether that is the call's own token, and not the client's. */
  readonly hasOwnToken: boolean;
  /** Whom the call or its headers name. */
  readonly named: string | undefined;
  readonly trace: CallTrace;
}

/** A call on its way, with what its attempts have found out so far. */
export class PreparedCall {
  readonly input: PreparedInput;
  /** Requests on the wire so far, counted as they begin. */
  attempts = 0;
  /** The time of the slowest of them, in milliseconds. */
  slowestMs = 0;
  /** The token of the present attempt. */
  token: string | undefined;
  /** What the last attempt that came to something said about the upstream. */
  evidence: Verdict | undefined;
  /** Its way through the circuit, from its first request to its end. */
  passage: Passage | undefined;

  constructor(input: PreparedInput) {
    this.input = input;
  }

  /** Whom a 429 to this call holds back. */
  readonly caller = (): string | undefined => callerOf(this.input.named, this.input.token, this.token);

  /** Whose failures are its own: only a caller that the call names, since all that use the client's token are one. */
  readonly namedCaller = (): string | undefined =>
    this.input.hasOwnToken || this.input.named !== undefined ? this.caller() : undefined;

  /** Takes the way through the circuit, unless it has one; false when the circuit sheds the call. */
  pass(): boolean {
    if (this.passage?.isCurrent() !== true) {
      this.passage = this.input.route.protection.circuit.admit(this.namedCaller);
    }
    return this.passage !== undefined;
  }
}

/** What an attempt works with; the same for every call of a client. */
export interface AttemptParts {
  readonly transport: Transport;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
  /** How many calls are in progress. */
  readonly activeCalls: () => number;
  readonly clock: Clock;
  /** The name of the header that tells the time left, if one was asked for. */
  readonly deadlineHeader: string | undefined;
}

/** Is told what an attempt came to. */
export type OnAttempt = (attempt: number, durationMs: number, outcome: number | ClientErrorCode) => void;

/** What one request brought: a complete response of any status, none, or nothing because the circuit shed it. */
export type AttemptResult =
  | { readonly kind: 'response'; readonly response: WireResponse }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'shed' };

/** Place, circuit, wire. The limit's own time starts with the wire: a wait is under the call's deadline alone. */
export async function runAttempt(
  call: PreparedCall,
  parts: AttemptParts,
  limit: AttemptLimit,
  onAttempt: OnAttempt,
): Promise<AttemptResult> {
  const { bulkhead } = parts;
  try {
    if (limit.aborted) {
      return stopped(limit);
    }
    // The queue is outside the circuit, which must not take our own crowd for the upstream's illness.
    if (!bulkhead.tryEnter()) {
      const entry = await bulkhead.enter(limit);
      if (entry === 'full') {
        return failed({ code: 'overloaded', sent: 'no' });
      }
      if (entry === 'stopped') {
        return stopped(limit);
      }
    }
    try {
      return call.pass() ? await send(call, parts, limit, onAttempt) : SHED;
    } finally {
      bulkhead.leave();
    }
  } finally {
    limit.release();
  }
}

async function send(
  call: PreparedCall,
  { transport, budget, clock, deadlineHeader, activeCalls }: AttemptParts,
  limit: AttemptLimit,
  onAttempt: OnAttempt,
): Promise<AttemptResult> {
  const { request, route, trace, limit: callLimit, deadlineIsInherited } = call.input;
  const { origin, path, method, body } = request;
  const { attemptTimeoutMs, maxResponseBytes } = route.policy;
  const startedAt = clock.monotonicNow();
  limit.start(startedAt, attemptTimeoutMs);
  const attempt = ++call.attempts;
  // What the circuit sheds is no load, and must not pay for the retries of others.
  if (attempt === 1) {
    budget.onCall(activeCalls());
  }
  const headers: Record<string, string> = { ...request.headers };
  if (call.token !== undefined) {
    headers['authorization'] = `Bearer ${call.token}`;
  }
  if (deadlineHeader !== undefined) {
    headers[deadlineHeader] = String(Math.max(0, Math.floor(callLimit.deadline - startedAt)));
  }
  const span = trace.startAttempt(attempt, request, headers);
  const outcome = await transport.send({
    origin,
    path,
    method,
    headers,
    body,
    maxResponseBytes,
    signal: limit,
  });
  const durationMs = clock.monotonicNow() - startedAt;
  call.slowestMs = Math.max(call.slowestMs, durationMs);
  const result = toResult(outcome, limit);
  if (result.kind === 'response') {
    const { status } = result.response;
    call.evidence = judgeStatus(status);
    if (status < 500) {
      route.latencies?.add(durationMs);
    }
    trace.endAttempt(span, durationMs, status);
    onAttempt(attempt, durationMs, status);
  } else {
    const { code } = result.failure;
    call.evidence = judgeLoss(result.failure, deadlineIsInherited) ?? call.evidence;
    trace.endAttempt(span, durationMs, code);
    onAttempt(attempt, durationMs, code);
  }
  return result;
}

function toResult(outcome: WireOutcome, limit: AttemptLimit): Exclude<AttemptResult, { kind: 'shed' }> {
  switch (outcome.kind) {
    case 'response':
      return { kind: 'response', response: outcome };
    case 'too_large':
      return failed({ code: 'response_too_large', sent: 'yes', status: outcome.status });
    case 'refused':
      return failed({
        code: 'invalid_request',
        sent: 'no',
        hint: 'one of its headers cannot be sent',
        cause: outcome.cause,
      });
    case 'lost': {
      const code = limit.aborted ? stopCodeOf(limit) : 'network';
      return failed({ code, sent: outcome.sent, cause: outcome.cause });
    }
    default:
      return outcome satisfies never;
  }
}

const SHED: AttemptResult = { kind: 'shed' };

function failed(failure: Failure): Extract<AttemptResult, { kind: 'failed' }> {
  return { kind: 'failed', failure };
}

function stopped(limit: AttemptLimit): AttemptResult {
  return failed({ code: stopCodeOf(limit), sent: 'no' });
}
