import { randomUUID } from 'node:crypto';

import helmet from '@fastify/helmet';
import { fastify, type FastifyInstance } from 'fastify';

import type { Server } from '../assemble.ts';
import { isLoopbackHost } from '../loopback.ts';
import { trackInFlight } from '../server/in-flight.ts';
import { checkAccess, loopbackNames } from './access.ts';
import { createDrain } from './drain.ts';
import { addEndpoint } from './endpoint-route.ts';
import { createGate, type TokenGateOptions } from './gate.ts';
import { parseJsonBodies } from './json-body.ts';
import { createMcpEndpoint } from './mcp-endpoint.ts';
import { addOperatorRoutes, operatorRoutes } from './operator-routes.ts';
import { reportErrors } from './rpc-reply.ts';
import { createStepUpCheck } from './step-up.ts';
import { createUnauthenticatedGate, type UnauthenticatedGateOptions } from './unauthenticated-gate.ts';

const endpointPath = '/mcp';
const bodyLimitBytes = 1024 * 1024;

/** How callers prove who they are: with access tokens, or, on loopback, not at all. */
export type GateOptions = TokenGateOptions | UnauthenticatedGateOptions;

/** How a server is served over HTTP. */
export interface ServeHttpOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 takes a free port. @default 3000 */
  readonly port?: number | undefined;
  /** Host names that the server answers to. @default those of loopback, when bound to loopback; else required */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins of web pages that may call it. @default any port of loopback, when bound to loopback; else none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Addresses or CIDR blocks of the proxies that are trusted to name the source address. @default none */
  readonly trustedProxies?: readonly string[] | undefined;
  /** How callers prove who they are. Without authentication the server stays on loopback. */
  readonly gate: GateOptions;
  /** Sessions of the 2025 era that may be open at once. @default 1_000 */
  readonly maxSessions?: number | undefined;
  /** How long a session may lie idle, in milliseconds. @default 1_800_000 */
  readonly sessionIdleMs?: number | undefined;
  /**
   * How long a closing server goes on serving while it already reports "not ready", so that load balancers
   * stop sending, in milliseconds. @default 0
   */
  readonly readinessDelayMs?: number | undefined;
  /** How long it then waits for running calls, in milliseconds. @default 15_000 */
  readonly drainMs?: number | undefined;
}

/** A server that is listening. */
export interface HttpServer extends AsyncDisposable {
  /** The endpoint's URL as bound, for example `http://127.0.0.1:3000/mcp`. */
  readonly url: string;
  /** Stops taking requests, lets running calls end, and closes. The assembled server stays open. */
  close(): Promise<void>;
}

/**
 * Serves both protocol eras on `/mcp`, with `/health`, `/ready`, `/metrics` and the protected resource
 * metadata beside it. Every request to `/mcp` carries a token, which is verified each time; a call that lacks a scope
 * is answered with 403 and all scopes it needs.
 *
 * @throws {TypeError} when bound to more than loopback without `allowedHosts`, or without authentication.
 */
export async function listen(server: Server, options: ServeHttpOptions): Promise<HttpServer> {
  const { logger } = server;
  const host = options.host ?? '127.0.0.1';
  const isLoopback = isLoopbackHost(host);
  if (options.allowedHosts === undefined && !isLoopback) {
    throw new TypeError(`allowedHosts: required when the server listens on ${host}`);
  }

  const app = fastify({
    bodyLimit: bodyLimitBytes,
    genReqId: () => randomUUID(),
    trustProxy: [...(options.trustedProxies ?? [])],
    // A client that sends slowly holds a socket for no longer than this.
    requestTimeout: 30_000,
    // Above the idle time of common load balancers, so that they never reuse a socket we are closing.
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
  });
  reportErrors(app, logger);
  parseJsonBodies(app);
  const drain = createDrain(app);
  checkAccess(app, {
    allowedHosts: options.allowedHosts ?? loopbackNames,
    allowedOrigins: options.allowedOrigins ?? (isLoopback ? loopbackNames : []),
    // On loopback a web page could reach them by DNS rebinding; in a cluster the network decides who can.
    openRoutes: isLoopback ? [] : operatorRoutes,
  });
  await app.register(helmet);
  addOperatorRoutes(app, server, drain);

  const inFlight = trackInFlight(server.table);
  const endpoint = createMcpEndpoint(inFlight.table, {
    serverInfo: server.serverInfo,
    instructions: server.instructions,
    logger,
    maxSessions: options.maxSessions ?? 1_000,
    sessionIdleMs: options.sessionIdleMs ?? 1_800_000,
  });
  server.telemetry.observeGauge('mcp.server.sessions', 'Open sessions of the 2025 era.', () =>
    endpoint.sessions.count(),
  );
  addEndpoint(app, endpointPath, { endpoint, ...guardOf(app, server, options, { host, isLoopback }) });

  await app.listen({ host, port: options.port ?? 3000 });
  const close = once(async () => {
    drain.begin();
    await sleep(options.readinessDelayMs ?? 0);
    if (!(await inFlight.idle(options.drainMs ?? 15_000))) {
      logger.warn({ calls: inFlight.count() }, 'calls still running were dropped');
    }
    // A call that has ended is not an answer that was sent; and a request at the gate is no call yet.
    await drain.answered(2_000);
    await endpoint.close();
    // Whoever still reads an answer gets a moment; then the sockets go.
    const timer = setTimeout(() => app.server.closeAllConnections(), 2_000);
    await app.close();
    clearTimeout(timer);
  });
  return { url: urlOf(app, host), close, [Symbol.asyncDispose]: close };
}

function guardOf(
  app: FastifyInstance,
  server: Server,
  { gate, trustedProxies = [] }: ServeHttpOptions,
  binding: { readonly host: string; readonly isLoopback: boolean },
): Pick<Parameters<typeof addEndpoint>[2], 'gate' | 'stepUp'> {
  if (gate.unauthenticated !== undefined) {
    const hasProxies = trustedProxies.length > 0;
    return { gate: createUnauthenticatedGate(gate, { ...binding, hasProxies }, server.logger) };
  }
  const { title, name } = server.serverInfo;
  return {
    gate: createGate(app, { ...gate, resourceName: title ?? name }, server.audit, server.logger),
    stepUp: createStepUpCheck({ server, basicScopes: gate.basicScopes, policy: gate.policy }),
  };
}

function urlOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${endpointPath}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function once(action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= action());
}
