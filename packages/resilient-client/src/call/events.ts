import type { HttpMethod } from '../endpoint/define-endpoint.ts';
import type { ClientErrorCode } from '../errors/failure.ts';
import type { CircuitState } from '../protection/circuit-breaker.ts';

/**
 * What a client tells about its work; `client` is its name and `endpoint` an endpoint's id, so both are safe as metric
 * labels. `attempt`: one request ended, with a status or a code. `retry`: another follows after the wait. `call`: the
 * whole call ended. `circuit`: a circuit breaker changed its state; `endpoint` is `*` for the circuit of the whole upstream.
 * `hedge`: a second request was sent beside a slow one. `retry_denied`: a safe repeat was not made. More types may be added.
 */
export type ClientEvent = { readonly client: string; readonly endpoint: string } & (
  | {
      readonly type: 'attempt';
      readonly method: HttpMethod;
      /** From 1. */
      readonly attempt: number;
      readonly durationMs: number;
      readonly status?: number | undefined;
      readonly code?: ClientErrorCode | undefined;
    }
  | {
      readonly type: 'retry';
      /** The number of the attempt that follows. */
      readonly attempt: number;
      readonly delayMs: number;
      /** Why the attempt before failed. */
      readonly code: ClientErrorCode;
    }
  | {
      readonly type: 'call';
      readonly durationMs: number;
      readonly attempts: number;
      readonly outcome: 'ok' | ClientErrorCode;
    }
  | {
      readonly type: 'hedge';
      /** How long the first request had been on its way. */
      readonly afterMs: number;
    }
  | {
      readonly type: 'retry_denied';
      /** What stood against it: the client's retry budget, a wait beyond the policy or the deadline, or the circuit. */
      readonly by: 'budget' | 'deadline' | 'circuit';
      /** Why the attempt before failed. */
      readonly code: ClientErrorCode;
    }
  | { readonly type: 'circuit'; readonly from: CircuitState; readonly to: CircuitState }
);

/** How one call ended. */
export type CallEndEvent = Extract<ClientEvent, { type: 'call' }>;

/** Wraps a handler so that it cannot break a call, whether it throws or returns a promise that rejects. */
export function ignoreErrorsOf<Event extends ClientEvent>(
  handler: ((event: Event) => void) | undefined,
): ((event: Event) => void) | undefined {
  if (handler === undefined) {
    return undefined;
  }
  return (event) => {
    try {
      const returned: unknown = handler(event);
      if (returned instanceof Promise) {
        returned.catch(() => {});
      }
    } catch {
      // A broken observer is its owner's problem, and there is nobody here to tell.
    }
  };
}
