// The only file that knows undici; exchange.ts handles one request in its terms. Importing undici 8 also installs a dispatcher for the global fetch (undici #5500).
import { Pool, type Dispatcher } from 'undici';

import type { Sent } from '../protection/replay.ts';
import type { StopSignal } from '../time/stop-signal.ts';
import type { AddressRule } from './address-rule.ts';
import { Exchange } from './exchange.ts';

export type { Dispatcher };

/** One request, ready to be written. */
export interface WireRequest {
  readonly origin: string;
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
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: WireHeaders;
      readonly body: Buffer;
    }
  | { readonly kind: 'too_large'; readonly status: number }
  | { readonly kind: 'lost'; readonly sent: Sent; readonly cause: unknown };

/** Response headers with lower-case names. */
export type WireHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Sends requests over real sockets; never throws for what a network may do. */
export interface Transport {
  send(request: WireRequest): Promise<WireOutcome>;
  /** Closes the sockets, unless the dispatcher was handed in. */
  close(): Promise<void>;
}

/** A client certificate for mutual TLS, in PEM. */
export interface ClientCertificate {
  /** The certificate, with its chain. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Authorities to trust for the server. @default those of Node.js */
  readonly ca?: string | Buffer;
}

/** Opens a transport with its own connections, or on a dispatcher that the caller keeps and closes. */
export function createTransport(options: {
  dispatcher: Dispatcher | undefined;
  /** Whether idle connections are kept for the next request. */
  keepAlive: boolean;
  /** Presented to the server (mutual TLS) on own connections. */
  certificate?: ClientCertificate | undefined;
  /** Connections per origin. @default 32 */
  connections?: number;
  /** @default 3_000 */
  connectTimeoutMs?: number;
  /** Which addresses own connections may go to. @default any */
  addressRule?: AddressRule | undefined;
}): Transport {
  const { dispatcher } = options;
  // A pool for each origin costs a tenth less per request than an Agent, which looks its pools up by more than that.
  const pools = new Map<string, Pool>();
  let isClosed = false;

  function poolOf(origin: string): Dispatcher {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = createPool(origin, options);
      pools.set(origin, pool);
      if (isClosed) void pool.destroy();
    }
    return pool;
  }

  return {
    send: (request) => Exchange.run(dispatcher ?? poolOf(request.origin), request),
    async close() {
      isClosed = true;
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function createPool(origin: string, options: Parameters<typeof createTransport>[0]): Pool {
  const { keepAlive, certificate, connections = 32, connectTimeoutMs = 3_000, addressRule } = options;
  return new Pool(origin, {
    // Without a bound, undici opens one socket for each concurrent request.
    connections,
    pipelining: keepAlive ? 1 : 0,
    connect: {
      timeout: connectTimeoutMs,
      ...(addressRule && { lookup: addressRule.lookup }),
      ...certificate,
    },
    // Below the usual idle timeout of servers and proxies, so that we close first.
    keepAliveTimeout: 4_000,
    // HTTP/2 reports aborts and resets with other codes.
    allowH2: false,
    // Its own timers are seconds coarse and measure idleness; the attempt timer covers headers and body.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
