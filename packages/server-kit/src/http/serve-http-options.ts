import { resolvePath, type McpAppOptions } from '../app/mcp-app-options.ts';
import { checkWhole } from '../check-number.ts';
import { checkOperatorToken } from '../console/console-access.ts';
import type { TokenGateOptions } from '../gate/bearer-gate.ts';
import type { Gate } from '../gate/gate.ts';
import type { UnauthenticatedGateOptions } from '../gate/unauthenticated-gate.ts';
import { resolveEndpointLimits, type EndpointLimits } from '../limits/endpoint-limits.ts';
import { resolveSessionLimits, type SessionLimits } from '../limits/session-limits.ts';
import { isLoopbackHost } from '../loopback.ts';
import { planShutdown, type ShutdownOptions } from '../server/shutdown-budget.ts';
import { loopbackNames } from '../wire/cors.ts';

/** How callers prove who they are: with access tokens, in a way of your own, or, on loopback, not at all. */
export type GateOptions = TokenGateOptions | Gate | UnauthenticatedGateOptions;

/** How a server is served over HTTP. */
export interface ServeHttpOptions
  extends
    SessionLimits,
    EndpointLimits,
    Pick<McpAppOptions, 'path' | 'sessionKey'>,
    Pick<ShutdownOptions, 'readinessDelayMs'> {
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** From 0, which takes a free port, to 65_535. @default 3000 */
  readonly port?: number | undefined;
  /**
   * Where the operator's routes are: `/health`, `/ready` with its details, `/metrics`, and `/console`. With a port of their own, the
   * port above answers `/health` and `/ready` with a state alone.
   *
   * @default on loopback the port above; else there are no metrics to read
   */
  readonly operator?: OperatorPort | undefined;
  /**
   * What operators sign in with to see the page at `/console`, beside the metrics; at least 32 characters.
   *
   * @default on loopback whoever reaches the port sees it; else there is no page
   */
  readonly operatorToken?: string | undefined;
  /** Host names that the server answers to. @default those of loopback, when bound to loopback; else required */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins of web pages that may call it. @default any port of loopback, when bound to loopback; else none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Addresses or CIDR blocks of the proxies that are trusted to name the source address. @default none */
  readonly trustedProxies?: readonly string[] | undefined;
  /** How callers prove who they are. Without authentication the server stays on loopback. */
  readonly gate: GateOptions;
  /** Connections that may be open at once, from 1 to 1_000_000. @default 10_000 */
  readonly maxConnections?: number | undefined;
  /** Those of one address, unless there are trusted proxies; from 1 to 1_000_000. @default 2_500 */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How long a closing server waits for running calls after the readiness delay, in milliseconds; from 0 to what is
   * left of the server's termination grace period. @default all of that
   */
  readonly drainMs?: number | undefined;
}

/** Where operators and their machines ask. */
export interface OperatorPort {
  /** The address to listen on. What is beyond loopback, the network must keep from others. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** From 0, which takes a free port, to 65_535. */
  readonly port: number;
}

/** The options with every default filled in. */
export interface ResolvedServeHttpOptions {
  readonly host: string;
  readonly isLoopback: boolean;
  readonly port: number;
  readonly operator: { readonly host: string; readonly port: number } | undefined;
  readonly operatorToken: string | undefined;
  readonly path: string;
  readonly allowedHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly gate: GateOptions;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** What the endpoint is made with. */
  readonly app: Omit<McpAppOptions, keyof Gate | 'serverInfo'>;
  readonly readinessDelayMs: number;
  readonly drainMs: number;
  /** How long responses may still be written and read when the calls have ended, in milliseconds. */
  readonly responsesMs: number;
}

/**
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} when bound to more than loopback without `allowedHosts`.
 */
export function resolveServeHttpOptions(
  options: ServeHttpOptions,
  terminationGraceMs: number | undefined,
): ResolvedServeHttpOptions {
  const { host, port } = resolveAddress(options);
  const isLoopback = isLoopbackHost(host);
  if (options.allowedHosts === undefined && !isLoopback) {
    throw new TypeError(`allowedHosts: required when the server listens on ${host}`);
  }
  const plan = planShutdown({ terminationGraceMs, readinessDelayMs: options.readinessDelayMs });
  const { drainMs = plan.callsMs } = options;
  checkWhole('drainMs', drainMs, 0, plan.callsMs);
  const { maxConnections = 10_000, maxConnectionsPerAddress = 2_500, path } = options;
  checkWhole('maxConnections', maxConnections, 1, 1_000_000);
  checkWhole('maxConnectionsPerAddress', maxConnectionsPerAddress, 1, 1_000_000);
  const app = {
    ...resolveSessionLimits(options),
    ...resolveEndpointLimits(options),
    path,
    allowedOrigins: options.allowedOrigins ?? (isLoopback ? loopbackNames : []),
  };
  return {
    app,
    path: resolvePath(path),
    host,
    isLoopback,
    port,
    operator: options.operator && resolveAddress(options.operator),
    operatorToken: checkOperatorToken(options.operatorToken),
    maxConnections,
    maxConnectionsPerAddress,
    allowedHosts: options.allowedHosts ?? loopbackNames,
    trustedProxies: options.trustedProxies ?? [],
    gate: options.gate,
    readinessDelayMs: plan.readinessDelayMs,
    drainMs,
    responsesMs: plan.responsesMs,
  };
}

/** @throws {RangeError} naming the port that cannot be one. */
export function resolveAddress(options: Pick<ServeHttpOptions, 'host' | 'port'>): {
  readonly host: string;
  readonly port: number;
} {
  const { host = '127.0.0.1', port = 3000 } = options;
  checkWhole('port', port, 0, 65_535);
  return { host, port };
}
