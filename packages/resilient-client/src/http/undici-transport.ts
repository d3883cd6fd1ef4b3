// The only file that knows undici; exchange.ts handles one request in its terms. Importing undici 8 also installs a dispatcher for the global fetch (undici #5500).
import { EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';

import type { AddressRule } from './address-rule.ts';
import { Exchange } from './exchange.ts';
import { environmentProxy } from './safe-way.ts';
import type { Transport } from './wire.ts';

export type { Dispatcher };

/** A client certificate for mutual TLS, in PEM. */
export interface ClientCertificate {
  /** The certificate, with its chain. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Authorities to trust for the server. @default those of Node.js */
  readonly ca?: string | Buffer | undefined;
}

/** What {@link createTransport} needs; whoever calls it has checked the numbers. */
export interface TransportOptions {
  /** One that the caller keeps and closes. */
  readonly dispatcher: Dispatcher | undefined;
  /** Whether idle connections are kept for the next request. */
  readonly keepAlive: boolean;
  /** Connections per origin, a whole number from 1. */
  readonly connections: number;
  /** Time for a connection, TLS included, in whole milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a connection serves, in whole milliseconds. @default as long as it is used */
  readonly connectionTtlMs?: number | undefined;
  /** Presented to the server (mutual TLS) on own connections. */
  readonly certificate?: ClientCertificate | undefined;
  /** Which addresses own connections may go to; any, if undefined. */
  readonly addressRule?: AddressRule | undefined;
}

/** Creates a transport with its own connections, or on a dispatcher that the caller keeps and closes. */
export function createTransport(options: TransportOptions): Transport {
  const { dispatcher } = options;
  // A pool for each origin costs a tenth less per request than an Agent, which looks its pools up by more than that.
  const pools = new Map<string, Pool | EnvHttpProxyAgent>();
  let isClosed = false;

  function poolOf(origin: string): Dispatcher {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = createPool(origin, options);
      pools.set(origin, pool);
      if (isClosed) {
        void pool.destroy();
      }
    }
    return pool;
  }

  return {
    send: (request) => Exchange.run(dispatcher ?? poolOf(request.origin), request),
    connections() {
      const open = [...pools.values()].filter((pool) => pool instanceof Pool).map(({ stats }) => stats);
      const sum = (value: (stats: Pool['stats']) => number) =>
        open.reduce((total, stats) => total + value(stats), 0);
      // One request at a time on each connection.
      const active = sum(({ running }) => running);
      return dispatcher === undefined
        ? { active, idle: Math.max(0, sum(({ connected }) => connected) - active) }
        : undefined;
    },
    async close() {
      isClosed = true;
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function createPool(origin: string, options: TransportOptions): Pool | EnvHttpProxyAgent {
  const { keepAlive, certificate, connections, connectTimeoutMs, connectionTtlMs, addressRule } = options;
  const poolOptions: Pool.Options = {
    // Without a bound, undici opens one socket for each concurrent request.
    connections,
    // A name may stand for other addresses by then.
    clientTtl: connectionTtlMs ?? null,
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
  };
  // A proxy looks names up by itself, past any rule for addresses.
  if (environmentProxy() === undefined || addressRule !== undefined) {
    return new Pool(origin, poolOptions);
  }
  return new EnvHttpProxyAgent({
    ...poolOptions,
    connectTimeout: connectTimeoutMs,
    ...(certificate && { requestTls: { ...certificate } }),
  });
}
