import type { PreparedCall, RequestContext } from '@mcp-parts/tool-kit';

import type { Accepted } from '../wire/accept.ts';
import type { Exchange } from '../wire/exchange.ts';
import type { RequestMessage } from '../wire/message.ts';
import type { HttpFault } from '../wire/rpc-answer.ts';
import type { KnownCaller } from './gate.ts';
import type { TransportAuth } from './origin.ts';

/** A request that has passed the gate, on its way through an era. */
export interface ServedRequest {
  readonly exchange: Exchange;
  readonly caller: KnownCaller;
  readonly accepts: Accepted;
  /** For messages that are no requests. */
  readonly auth: () => TransportAuth;
  /**
   * Lets requests begin that come together: takes a place among the running calls for each, and asks the policy.
   * `undefined` after a refusal was sent; else a running call for each.
   */
  readonly admit: (
    messages: readonly RequestMessage[],
    era: RequestContext['era'],
  ) => Promise<readonly Running[] | undefined>;
  /**
   * Whether what no method of the table counts is within the rate of its caller; it is counted. `false` after a refusal was
   * sent.
   */
  readonly isWithinRate: (message?: RequestMessage) => Promise<boolean>;
  /** Takes a place among the open streams, or says why there is none. */
  readonly enterStream: (end: () => void) => OpenPlace | HttpFault;
}

/** A place that something holds. */
export interface OpenPlace {
  /** Gives it back; more than once is once. */
  readonly leave: () => void;
}

/** A call that runs. */
export interface Running extends OpenPlace {
  readonly signal: AbortSignal;
  /** For the SDK, which hands it to the handlers. */
  readonly auth: (prepared?: PreparedCall) => TransportAuth;
  /** Aborts the call: its client has cancelled it, or is gone. */
  readonly cancel: () => void;
}

/** Whether there was no place. */
export function isFault(place: OpenPlace | HttpFault): place is HttpFault {
  return 'code' in place;
}
