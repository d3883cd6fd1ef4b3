import {
  createServer,
  type IncomingMessage,
  type Server as NodeServer,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { Server as NetServer } from 'node:net';

import proxyAddress from '@fastify/proxy-addr';

import { answerText } from '../app/answer-text.ts';
import { createMcpApp } from '../app/mcp-app.ts';
import { securityHeaders } from '../app/node-exchange.ts';
import type { Server } from '../assemble.ts';
import { createBearerGate } from '../gate/bearer-gate.ts';
import type { Gate } from '../gate/gate.ts';
import { withoutPort } from '../gate/origin.ts';
import { createUnauthenticatedGate } from '../gate/unauthenticated-gate.ts';
import { isLoopbackHost } from '../loopback.ts';
import { countOfHeader, createHostRule } from '../wire/host-rule.ts';
import { createConnectionLimit } from './connection-limit.ts';
import { countRefusals, measureSessions, observeEndpoint } from './endpoint-metrics.ts';
import { listening, urlOf } from './listening.ts';
import { measureRequests } from './measure-requests.ts';
import { listenForOperators } from './operator-port.ts';
import { createOperatorRoutes, createProbeRoutes } from './operator-routes.ts';
import {
  resolveServeHttpOptions,
  type ResolvedServeHttpOptions,
  type ServeHttpOptions,
} from './serve-http-options.ts';

/** A server that is listening. */
export interface HttpServer extends AsyncDisposable {
  /** The endpoint's URL as bound, for example `http://127.0.0.1:3000/mcp`. */
  readonly url: string;
  /** Where operators ask, as bound, for example `http://127.0.0.1:9464`; `undefined` without a port of their own. */
  readonly operatorUrl: string | undefined;
  /** Stops taking requests, lets running calls end, and closes. The assembled server stays open. */
  readonly close: () => Promise<void>;
}

/** What `serveHttp` does once it is loaded. */
export async function listen(server: Server, options: ServeHttpOptions): Promise<HttpServer> {
  const { logger } = server;
  const resolved = resolveServeHttpOptions(options, server.terminationGraceMs);
  const { host, isLoopback, readinessDelayMs, drainMs, responsesMs } = resolved;
  const app = createMcpApp(server.table, {
    ...resolved.app,
    ...gateOf(server, resolved),
    serverInfo: server.serverInfo,
    instructions: server.instructions,
    onSessionEnd: measureSessions(server.telemetry.meter),
    sessionKey: options.sessionKey ?? (await server.sessionKey()),
    logger,
  });
  observeEndpoint(server.telemetry, app);

  let isClosing = false;
  const { operatorToken } = resolved;
  const full = createOperatorRoutes(server, {
    isClosing: () => isClosing,
    operatorToken,
    hasConsole: operatorToken !== undefined || isOnThisMachine(resolved, options),
  });
  const routes =
    isLoopback && resolved.operator === undefined ? full : createProbeRoutes(server, () => isClosing);
  const measure = measureRequests(server.telemetry.meter, resolved.path);
  const isAllowedHost = createHostRule(resolved.allowedHosts);
  const addressOf = sourceAddresses(resolved.trustedProxies);
  const connections = createConnectionLimit(resolved);
  const answered = new WeakMap<Socket, ServerResponse>();

  const http = createServer(
    {
      // A token of 32 KiB and a proof beside it; Node's 16 KiB answer 431 to people in many groups.
      maxHeaderSize: 64 * 1024,
      headersTimeout: 10_000,
      // A client that sends slowly holds a socket for no longer than this,
      requestTimeout: 30_000,
      // and one interval.
      connectionsCheckingInterval: 1_000,
      // Above the idle time of common load balancers, so that they never reuse a socket we are closing.
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      void take(request, response);
    },
  );
  http.maxConnections = resolved.maxConnections;
  http.on('connection', connections.admit);
  http.on('clientError', refuseBytes);

  /** Answers to one connection go out in their order, so a client that does not read them gets no more worked out. */
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    measure(request, response);
    const before = answered.get(socket);
    answered.set(socket, response);
    if (before !== undefined && isUnderWay(before)) {
      await new Promise((resolve) => before.once('close', resolve));
    }
    await serve(request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'request failed');
      response.destroy();
    });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const leave = isClosing ? { connection: 'close' } : {};
    const route = routes.find(request);
    // On loopback a web page could reach the operator's routes by DNS rebinding; in a cluster the network decides.
    const isOpen = route !== undefined && !isLoopback;
    const fault =
      faultOf(request) ?? (isOpen || isAllowedHost(request.headers.host) ? undefined : foreignHost);
    if (fault !== undefined) {
      refuse(request, response, fault);
      return;
    }
    if (route !== undefined) {
      await route(response, leave, request);
      return;
    }
    if (!(await app.serve(request, response, { sourceAddress: addressOf(request) }))) {
      const message = `The endpoint of this server is ${resolved.path}.`;
      answerText(response, 404, JSON.stringify({ error: 'not_found', message }), leave);
    }
  }

  const operator = resolved.operator && (await listenForOperators(resolved.operator, full, logger));
  try {
    await listening(http, host, resolved.port);
  } catch (error) {
    await operator?.close();
    throw error;
  }

  const close = once(async () => {
    isClosing = true;
    app.leave();
    await sleep(readinessDelayMs);
    const stopped = stopAccepting(http);
    const dropped = await app.drain(drainMs);
    if (dropped > 0) {
      logger.warn({ calls: dropped }, 'calls still running were told that the server stops');
    }
    // Whoever still reads an answer, or has a request on its way, gets a moment; then the sockets go.
    await connections.end((socket) => isUnderWay(answered.get(socket)), responsesMs);
    await app.close();
    http.closeAllConnections();
    await stopped;
    // Last: how a server ends is what operators want to see.
    await operator?.close();
  });
  return {
    url: urlOf(http, host, resolved.path),
    operatorUrl: operator?.url,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isUnderWay(response: ServerResponse | undefined): boolean {
  return response !== undefined && !response.writableFinished && !response.destroyed;
}

/** Takes no new connection. Node's own `close` would also end idle ones, on which requests may be on their way. */
function stopAccepting(http: NodeServer): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(http, () => resolve());
  });
}

/** Whether the operator's routes can be reached from this machine alone: a proxy on it would publish them. */
function isOnThisMachine(
  { operator, isLoopback }: ResolvedServeHttpOptions,
  { allowedHosts, trustedProxies }: ServeHttpOptions,
): boolean {
  if (operator !== undefined) {
    return isLoopbackHost(operator.host);
  }
  return isLoopback && allowedHosts === undefined && trustedProxies === undefined;
}

function gateOf(server: Server, { gate, host, isLoopback, trustedProxies }: ResolvedServeHttpOptions): Gate {
  const { serverInfo, logger } = server;
  if ('authenticate' in gate) {
    return gate;
  }
  if (gate.unauthenticated !== undefined) {
    return createUnauthenticatedGate(
      gate,
      { host, isLoopback, hasProxies: trustedProxies.length > 0 },
      logger,
    );
  }
  return createBearerGate(gate, {
    name: serverInfo.title ?? serverInfo.name,
    audit: server.audit,
    onRefused: countRefusals(server.telemetry.meter),
    logger,
  });
}

/** Finds the address of a client, behind the proxies whose word counts. */
function sourceAddresses(
  trustedProxies: readonly string[],
): (request: IncomingMessage) => string | undefined {
  if (trustedProxies.length === 0) {
    return ({ socket }) => socket.remoteAddress;
  }
  const trust = proxyAddress.compile([...trustedProxies]);
  return (request) => withoutPort(proxyAddress(request, trust));
}

/** Why a request is not looked at, and with which status. */
interface RequestFault {
  readonly status: number;
  readonly message: string;
}

const foreignHost: RequestFault = { status: 403, message: 'This server does not answer to that host name.' };

/** What a reader before this one may have understood otherwise (RFC 9112 §3.2, RFC 9110 §15.6.6). */
function faultOf(request: IncomingMessage): RequestFault | undefined {
  if (request.httpVersionMajor !== 1) {
    return { status: 505, message: 'This server speaks HTTP/1.1.' };
  }
  return countOfHeader('host', request) === 1 ? undefined : { status: 400, message: 'Send one Host header.' };
}

/** Nothing more is read of such a connection. */
function refuse(request: IncomingMessage, response: ServerResponse, { status, message }: RequestFault): void {
  request.resume();
  const error = { code: -32_000, message };
  answerText(response, status, JSON.stringify({ jsonrpc: '2.0', id: null, error }), { connection: 'close' });
}

/** What is no HTTP gets a short answer, and its connection ends. */
function refuseBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const headers = Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n${headers.join('')}\r\n`);
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
