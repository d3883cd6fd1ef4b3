import type { StopSignal } from '../time/stop-signal.ts';
import type { ContentCodingError } from './content-coding.ts';

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
  /** It would not be a request: nothing was sent, and nothing would be if it were tried again. */
  | { readonly kind: 'refused'; readonly cause: unknown }
  | { readonly kind: 'lost'; readonly sent: Sent; readonly cause: unknown };

/** A complete response, of any status. */
export interface WireResponse {
  readonly status: number;
  readonly headers: WireHeaders;
  /** Without its content codings; empty where they could not be undone. */
  readonly body: Buffer;
  /** Why they could not; the status is good all the same. */
  readonly unreadable?: ContentCodingError | undefined;
}

/** Response headers with lower-case names. */
export type WireHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Sends requests; never throws for what a network may do. */
export interface Transport {
  readonly send: (request: WireRequest) => Promise<WireOutcome>;
  /** The connections of its own; undefined on a dispatcher that was handed in. */
  readonly connections: () => Connections | undefined;
  /** Closes the sockets, unless the dispatcher was handed in. */
  readonly close: () => Promise<void>;
}

/** How many connections are open. */
export interface Connections {
  /** With a request on it. */
  readonly active: number;
  readonly idle: number;
}
