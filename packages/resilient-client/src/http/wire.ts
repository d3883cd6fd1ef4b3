import type { StopSignal } from '../time/stop-signal.ts';

/**
 * What is known about a request on the wire. `no`: nothing of it left. `maybe`: it left, or part of it, and no response
 * came. `yes`: the upstream responded.
 */
export type Sent = 'no' | 'maybe' | 'yes';

/** One request, ready to be written. */
export interface WireRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly maxResponseBytes: number;
  /** Aborting it closes the socket. */
  readonly signal: StopSignal;
}

/** What became of it. An abort is told from a network failure by the signal, not by the error. */
export type WireOutcome =
  | ({ readonly kind: 'response' } & WireResponse)
  | { readonly kind: 'too_large'; readonly status: number }
  | { readonly kind: 'lost'; readonly sent: Sent; readonly cause: unknown };

/** A complete response, of any status. */
export interface WireResponse {
  readonly status: number;
  readonly headers: WireHeaders;
  readonly body: Buffer;
}

/** Response headers with lower-case names. */
export type WireHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Sends requests; never throws for what a network may do. */
export interface Transport {
  readonly send: (request: WireRequest) => Promise<WireOutcome>;
  /** Closes the sockets, unless the dispatcher was handed in. */
  readonly close: () => Promise<void>;
}
