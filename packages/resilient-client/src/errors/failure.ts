import type { Sent } from '../http/wire.ts';
import type { ExplainResponse } from './explain.ts';
import type { Problem } from './problem.ts';

/**
 * Every way a call can fail. `cancelled`: by its signal, or the client was closed. `deadline_exceeded`: the whole call
 * took too long. `timeout`: an attempt did. `network`: no connection, or it broke. `circuit_open`: shed, because the
 * endpoint keeps failing, this caller's calls do, or somebody isolated it. `throttled`: refused for load. `overloaded`: this
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
  /** What is wrong, without any value: with the input, or with the coding of a response. */
  readonly hint?: string | undefined;
  /** Overrides what the code says about whether the same call may succeed later. */
  readonly isTransient?: boolean | undefined;
}

/** What the call was, for the wording. */
export interface FailedCall {
  readonly upstream: string;
  readonly endpoint: string;
  readonly attempts: number;
  /** Whether the same call again, by anyone, does no harm. */
  readonly isRepeatable: boolean;
  readonly explain: Readonly<Record<number, string>> | ExplainResponse | undefined;
}
