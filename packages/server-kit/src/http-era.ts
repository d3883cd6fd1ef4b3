import type { BindingOptions, MethodTable } from '@mcp-parts/tool-kit';

import type { ServedRequest } from './gate/served-request.ts';
import type { ResolvedEndpointLimits } from './limits/endpoint-limits.ts';
import type { ResolvedSessionLimits } from './limits/session-limits.ts';
import type { RequestFacts } from './wire/exchange.ts';
import type { Message } from './wire/message.ts';
import type { HttpFault } from './wire/rpc-answer.ts';

/** What an era is made of. */
interface HttpEraParts {
  readonly table: MethodTable;
  readonly binding: BindingOptions;
  readonly limits: ResolvedEndpointLimits & ResolvedSessionLimits;
  /** Signs the ids of sessions. */
  readonly sessionKey: Uint8Array;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onError: (error: Error) => void;
  /** Hears of each session that leaves memory. */
  readonly onSessionEnd: (session: { readonly durationMs: number; readonly protocolVersion: string }) => void;
}

/** Makes what serves one era of the protocol over HTTP. */
export type CreateHttpEra = (parts: HttpEraParts) => HttpEra;

/** One era of the protocol over HTTP. */
export interface HttpEra {
  /**
   * How to serve a message, where it is one of this era; what is wrong with it, where it is of no era. `undefined` leaves
   * it to the others. `body`: the message as it was sent.
   */
  readonly take: (
    message: Message,
    body: unknown,
    facts: Pick<RequestFacts, 'headers'>,
  ) => ((request: ServedRequest) => Promise<void>) | HttpFault | undefined;
  /** @default the era has none */
  readonly sessions?: SessionEndpoint | undefined;
  readonly close: () => Promise<void>;
}

/** What an endpoint does besides where there are sessions. */
export interface SessionEndpoint {
  /** A list of messages, which 2025-03-26 alone knows. */
  readonly postBatch: (messages: readonly Message[], request: ServedRequest) => Promise<void>;
  readonly openStream: (request: ServedRequest) => Promise<void>;
  readonly endSession: (request: ServedRequest) => Promise<void>;
  /** How many are in memory. */
  readonly count: () => number;
}
