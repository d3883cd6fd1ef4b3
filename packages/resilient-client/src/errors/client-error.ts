import type { Sent } from '../protection/replay.ts';
import type { ExplainAnswer } from './explain.ts';
import type { Problem } from './problem.ts';
import { userMessageFor } from './public-message.ts';

/**
 * Every way a call can fail. `cancelled`: by its signal, or the client was closed. `deadline_exceeded`: the whole call
 * took too long. `timeout`: an attempt did. `network`: no connection, or it broke. `circuit_open`: shed, because the
 * endpoint keeps failing. `throttled`: refused for load. `overloaded`: this
 * client has too many calls waiting, and nothing was sent. `unauthenticated`: no token to be had, or 401. `forbidden`:
 * 403. `not_found`: 404, 410. `conflict`: 409, 412. `rejected`: any other 4xx. `server_error`: 5xx.
 * `invalid_response`: a redirect, broken JSON, or not the declared shape. `response_too_large`: over the cap.
 * `invalid_request`: the input does not fit the endpoint, and nothing was sent.
 */
export type ClientErrorCode =
  | 'cancelled'
  | 'deadline_exceeded'
  | 'timeout'
  | 'network'
  | 'circuit_open'
  | 'throttled'
  | 'overloaded'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'rejected'
  | 'server_error'
  | 'invalid_response'
  | 'response_too_large'
  | 'invalid_request';

/** Everything that is known about a failed call. */
export interface Failure {
  readonly code: ClientErrorCode;
  readonly sent: Sent;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly problem?: Problem | undefined;
  /** For logs only. */
  readonly cause?: unknown;
  /** What is wrong with the input; only for `invalid_request`. */
  readonly hint?: string | undefined;
  /** Overrides what the code says about whether the same call may succeed later. */
  readonly isTransient?: boolean | undefined;
}

/** What the call was, for the wording. */
export interface FailedCall {
  readonly service: string;
  readonly endpoint: string;
  readonly attempts: number;
  /** Whether the same call again, by anyone, does no harm. */
  readonly isRepeatable: boolean;
  readonly explain: Readonly<Record<number, string>> | ExplainAnswer | undefined;
}

/** The one error of a call. Tell failures apart by `code`. `message` and `cause` are for logs. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /**
   * The only text a model may read: what failed and what to do next. Without hosts, headers and raw bodies; a
   * backend's `detail` stands in it quoted, cleaned, and at most 200 characters long.
   */
  readonly userMessage: string;
  /** The endpoint's id. */
  readonly endpoint: string;
  /** The HTTP status of the last answer, if one came. */
  readonly status: number | undefined;
  /** The backend's problem document, untrusted. */
  readonly problem: Problem | undefined;
  /** Milliseconds after which the same call may succeed, if the backend or the circuit breaker said so. */
  readonly retryAfterMs: number | undefined;
  /** Whether a write may have happened: `maybe` means that some attempt left and no answer told what became of it. */
  readonly sent: Sent;
  /** Requests put on the wire, or tried to. */
  readonly attempts: number;
  /** Whether the same call later may succeed and does no harm. */
  readonly isRetryable: boolean;

  constructor(failure: Failure, call: FailedCall) {
    const status = failure.status === undefined ? '' : ` (${failure.status})`;
    const hint = failure.hint === undefined ? '' : `: ${failure.hint}`;
    super(`${call.endpoint}: ${failure.code}${status}${hint}`, { cause: failure.cause });
    const isRetryable = (failure.isTransient ?? isTransient(failure)) && isHarmless(failure, call);
    this.code = failure.code;
    this.userMessage = userMessageFor(failure, { ...call, isRetryable });
    this.endpoint = call.endpoint;
    this.status = failure.status;
    this.problem = failure.problem;
    this.retryAfterMs = failure.retryAfterMs;
    this.sent = failure.sent;
    this.attempts = call.attempts;
    this.isRetryable = isRetryable;
  }
}

function isTransient({ code, status }: Failure): boolean {
  switch (code) {
    case 'cancelled':
    case 'deadline_exceeded':
    case 'timeout':
    case 'network':
    case 'circuit_open':
    case 'throttled':
    case 'overloaded':
      return true;
    case 'server_error':
      return status !== 501;
    case 'unauthenticated':
    case 'forbidden':
    case 'not_found':
    case 'conflict':
    case 'rejected':
    case 'invalid_response':
    case 'response_too_large':
    case 'invalid_request':
      return false;
    default:
      return code satisfies never;
  }
}

function isHarmless({ code, sent }: Failure, call: FailedCall): boolean {
  return call.isRepeatable || sent === 'no' || (code === 'throttled' && sent === 'yes');
}
