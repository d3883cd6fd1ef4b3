import { randomUUID } from 'node:crypto';

import helmet from '@fastify/helmet';
import { fastify, type FastifyInstance } from 'fastify';

import type { Server } from '../assemble.ts';
import { trackInFlight } from '../server/in-flight.ts';
import { checkAccess } from './access.ts';
import { createDrain } from './drain.ts';
import { addEndpoint } from './endpoint-route.ts';
import { createGate } from './gate.ts';
import { MAX_BODY_BYTES, parseJsonBodies } from './json-body.ts';
import { createMcpEndpoint } from './mcp-endpoint.ts';
import { addOperatorRoutes, operatorRoutes } from './operator-routes.ts';
import { reportErrors } from './report-errors.ts';
import {
  resolveServeHttpOptions,
  type ResolvedServeHttpOptions,
  type ServeHttpOptions,
} from './serve-http-options.ts';
import { createStepUpCheck } from './step-up.ts';
import { createUnauthenticatedGate } from './unauthenticated-gate.ts';

const ENDPOINT_PATH = '/mcp';

/** A server that is listening. */
export interface HttpServer extends AsyncDisposable {
  /** The endpoint's URL as bound, for example `http://127.0.0.1:3000/mcp`. */
  readonly url: string;
  /** Stops taking requests, lets running calls end, and closes. The assembled server stays open. */
  readonly close: () => Promise<void>;
}

/** What `serveHttp` does once it is loaded. */
export async function listen(server: Server, options: ServeHttpOptions): Promise<HttpServer> {
  const { logger } = server;
  const resolved = resolveServeHttpOptions(options, server.terminationGraceMs);
  const { host, isLoopback, readinessDelayMs, drainMs, responsesMs } = resolved;

  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    trustProxy: [...resolved.trustedProxies],
    // A token of 32 KiB and a proof beside it; Node's 16 KiB answer 431 to people in many groups.
    http: { maxHeaderSize: 64 * 1024 },
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
    allowedHosts: resolved.allowedHosts,
    allowedOrigins: resolved.allowedOrigins,
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
    maxSessions: resolved.maxSessions,
    sessionIdleMs: resolved.sessionIdleMs,
  });
  server.telemetry.observeGauge('mcp.server.sessions', 'Open sessions of the 2025 era.', () =>
    endpoint.sessions.count(),
  );
  addEndpoint(app, ENDPOINT_PATH, { endpoint, ...guardOf(app, server, resolved) });

  await app.listen({ host, port: resolved.port });
  const close = once(async () => {
    drain.begin();
    await sleep(readinessDelayMs);
    if (!(await inFlight.idle(drainMs))) {
      logger.warn({ calls: inFlight.count() }, 'calls still running were dropped');
    }
    // A call that has ended is not yet a response that was sent; and a request at the gate is no call yet.
    await drain.responded(responsesMs / 2);
    await endpoint.close();
    // Whoever still reads a response gets a moment; then the sockets go.
    const timer = setTimeout(() => app.server.closeAllConnections(), responsesMs / 2);
    await app.close();
    clearTimeout(timer);
  });
  return { url: urlOf(app, host), close, [Symbol.asyncDispose]: close };
}

function guardOf(
  app: FastifyInstance,
  server: Server,
  { gate, host, isLoopback, trustedProxies }: ResolvedServeHttpOptions,
): Pick<Parameters<typeof addEndpoint>[2], 'gate' | 'stepUp'> {
  const { serverInfo, authorizer, requiredPermission, logger } = server;
  if (gate.unauthenticated !== undefined) {
    const hasProxies = trustedProxies.length > 0;
    return { gate: createUnauthenticatedGate(gate, { host, isLoopback, hasProxies }, logger) };
  }
  const { title, name } = serverInfo;
  return {
    gate: createGate(app, { ...gate, resourceName: title ?? name }, server.audit, logger),
    stepUp:
      // What is allowed by name is never allowed by another token.
      authorizer &&
      createStepUpCheck({
        server: { authorizer, requiredPermission, logger },
        basicScopes: gate.basicScopes,
        policy: gate.policy,
      }),
  };
}

function urlOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${ENDPOINT_PATH}`;
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
