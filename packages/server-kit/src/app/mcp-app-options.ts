import type { BindingOptions, Logger } from '@mcp-parts/tool-kit';

import type { Gate } from '../gate/gate.ts';
import {
  resolveEndpointLimits,
  type EndpointLimits,
  type ResolvedEndpointLimits,
} from '../limits/endpoint-limits.ts';
import {
  resolveSessionLimits,
  type ResolvedSessionLimits,
  type SessionLimits,
} from '../limits/session-limits.ts';
import { createOriginRule, type OriginRule } from '../wire/cors.ts';

/** A session of the 2025 era that left the memory of this process. */
export interface EndedSession {
  /** How long it was there, in milliseconds. */
  readonly durationMs: number;
  /** The protocol version that was agreed, one of those the server knows. */
  readonly protocolVersion: string;
}

/** How an endpoint is served. */
export interface McpAppOptions extends EndpointLimits, SessionLimits, Gate {
  readonly serverInfo: BindingOptions['serverInfo'];
  /** Told to the model once. */
  readonly instructions?: string | undefined;
  /** The path of the endpoint; a slash at its end makes no difference. @default '/mcp' */
  readonly path?: string | undefined;
  /**
   * Origins of web pages that may call, such as `https://client.example.com`, or host names of loopback for any port.
   * Pages of every other origin are refused. @default none
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Signs the ids of sessions, at least 32 bytes. Processes with the same key serve each other's sessions.
   * @default a random key: sessions end with the process
   */
  readonly sessionKey?: Uint8Array | undefined;
  /** Hears of each session at its end, or when it goes to sleep. @default nobody does */
  readonly onSessionEnd?: ((session: EndedSession) => void) | undefined;
  /** @default nothing is logged */
  readonly logger?: Logger | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** The options with every default filled in. */
export interface ResolvedMcpAppOptions extends ResolvedEndpointLimits, ResolvedSessionLimits {
  readonly path: string;
  readonly origins: OriginRule;
  readonly onSessionEnd: (session: EndedSession) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} for a path that does not begin with a slash.
 */
export function resolveMcpAppOptions(options: McpAppOptions): ResolvedMcpAppOptions {
  const { allowedOrigins = [], onSessionEnd = () => undefined, logger = silent, now = Date.now } = options;
  return {
    ...resolveEndpointLimits(options),
    ...resolveSessionLimits(options),
    path: resolvePath(options.path),
    origins: createOriginRule(allowedOrigins),
    onSessionEnd,
    logger,
    now,
  };
}

/** @throws {TypeError} for a path that does not begin with a slash. */
export function resolvePath(path = '/mcp'): string {
  if (!path.startsWith('/')) {
    throw new TypeError(`path must begin with "/", got ${JSON.stringify(path)}`);
  }
  return path === '/' ? path : path.replace(/\/$/u, '');
}
