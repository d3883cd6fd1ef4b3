import type { Sent } from '../http/wire.ts';
import type { ClientErrorCode, FailedCall, Failure } from './failure.ts';
import type { Problem } from './problem.ts';
import { publicMessageFor } from './public-message.ts';

/** The one error of a call. Tell failures apart by `code`. `message` and `cause` are for logs. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /**
   * The only text a model may read: what failed and what to do next. Without hosts, headers and raw bodies; a
   * upstream's `detail` stands in it quoted, cleaned, and at most 200 characters long.
   */
  readonly publicMessage: string;
  /** The endpoint's id. */
  readonly endpoint: string;
  /** The HTTP status of the last response, if one came. */
  readonly status: number | undefined;
  /** The upstream's problem document, untrusted. */
  readonly problem: Problem | undefined;
  /** Milliseconds after which the same call may succeed, if the upstream or the circuit breaker said so. */
  readonly retryAfterMs: number | undefined;
  /** Whether a write may have happened: `maybe` means that some attempt left and no response told what became of it. */
  readonly sent: Sent;
  /** Requests put on the wire, or tried to. */
  readonly attempts: number;
  /** Whether the same call later may succeed and does no harm. */
  readonly isRetryable: boolean;

  constructor(failure: Failure, call: FailedCall) {
    const status = failure.status === undefined ? '' : ` (${failure.status})`;
    const hint = failure.hint === undefined ? '' : `: ${failure.hint}`;
    // The endpoint last: behind a name such as `token` and a colon, a log takes the rest for a secret.
    super(`${failure.code}${status}${hint}, at ${call.endpoint}`, { cause: failure.cause });
    const isRetryable = (failure.isTransient ?? isTransient(failure)) && isHarmless(failure, call);
    this.code = failure.code;
    this.publicMessage = publicMessageFor(failure, { ...call, isRetryable });
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
