import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { BindingOptions, MethodTable } from '@mcp-parts/tool-kit';

import { originOf, withoutPort } from '../gate/origin.ts';
import type { CreateHttpEra } from '../http-era.ts';
import { createAddressLimit } from '../limits/address-limit.ts';
import { createRunningCalls } from '../limits/running-calls.ts';
import { allowReading, answerPreflight } from '../wire/cors.ts';
import { headerOf, type Exchange } from '../wire/exchange.ts';
import { countOfHeader } from '../wire/host-rule.ts';
import { answerFault, answerJson, rpcErrorCodes } from '../wire/rpc-answer.ts';
import * as registered from './eras.ts';
import { createFastifyPlugin, type FastifyPlugin } from './fastify-plugin.ts';
import { createFetchExchange, type FetchFacts } from './fetch-exchange.ts';
import { resolveMcpAppOptions, type McpAppOptions } from './mcp-app-options.ts';
import { createNodeExchange, type NodeFacts } from './node-exchange.ts';
import { serveExchange, type EndpointParts } from './serve-exchange.ts';

/** An endpoint for both eras, to be mounted wherever HTTP is served. */
export interface McpApp extends AsyncDisposable {
  /** Serves a web-standard request. */
  readonly fetch: (request: Request, facts?: FetchFacts) => Promise<Response>;
  /**
   * Serves a request of `node:http`, or of express, where `body` is `request.body` once a parser has run. Given `next`,
   * it leaves other paths to it.
   */
  readonly node: (request: IncomingMessage, response: ServerResponse, bodyOrNext?: unknown) => Promise<void>;
  /** Serves the endpoint, and what belongs to it, in a Fastify app: `app.register(mcp.fastify)`. */
  readonly fastify: FastifyPlugin;
  /** As `node`, for a server that knows more. `false`: the path is somebody else's, and nothing was answered. */
  readonly serve: (request: IncomingMessage, response: ServerResponse, facts?: NodeFacts) => Promise<boolean>;
  /** What is open now, for metrics. */
  readonly open: () => { readonly calls: number; readonly sessions: number; readonly streams: number };
  /** From now on answers ask clients to leave their connections. */
  readonly leave: () => void;
  /**
   * Ends streams that wait for events, and waits until no call runs; those that still run after `timeoutMs` are told
   * that the server stops, and so are their clients. What comes in meanwhile is served, and its connection ended.
   *
   * @returns how many calls were told.
   */
  readonly drain: (timeoutMs: number) => Promise<number>;
  /** Ends what is left. */
  readonly close: () => Promise<void>;
}

/**
 * Makes an endpoint that serves a method table over Streamable HTTP, in the revisions up to 2025-11-25 with sessions
 * and in 2026-07-28 without.
 *
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} for a path that does not begin with a slash.
 */
export function createMcpApp(table: MethodTable, options: McpAppOptions): McpApp {
  const resolved = resolveMcpAppOptions(options);
  const { path, origins, onSessionEnd, logger, now } = resolved;
  const onError = (error: Error) => logger.warn({ problem: nameOf(error) }, 'protocol error');
  const binding: BindingOptions = {
    serverInfo: options.serverInfo,
    instructions: options.instructions,
    origin: originOf,
    logger,
  };
  const sessionKey = options.sessionKey ?? randomBytes(32);
  const eras = latestFirst.map((create) =>
    create({ table, binding, limits: resolved, sessionKey, now, onError, onSessionEnd }),
  );
  const sessions = eras.find((era) => era.sessions !== undefined)?.sessions;
  const calls = createRunningCalls(resolved);
  const parts: EndpointParts = {
    table,
    gate: options,
    eras,
    sessions,
    calls,
    addresses: createAddressLimit(resolved.maxRefusalsPerMinute, now),
    maxBodyBytes: resolved.maxBodyBytes,
    logger,
  };
  const documents = new Map(
    (options.documents ?? []).flatMap(({ paths, body }) => {
      const text = JSON.stringify(body);
      return paths.map((name) => [name, text] as const);
    }),
  );
  let isLeaving = false;

  /** Where a request is meant to go; `undefined` for a path of somebody else. */
  const handlerFor = (url: string): ((exchange: Exchange) => Promise<void> | void) | undefined => {
    const wanted = pathOf(url);
    if (wanted === path || (wanted.endsWith('/') && wanted.slice(0, -1) === path)) {
      return serveEndpoint;
    }
    const document = documents.get(wanted);
    return document === undefined ? undefined : (exchange) => answerDocument(exchange, document);
  };

  function serveEndpoint(exchange: Exchange): Promise<void> | void {
    const origin = headerOf(exchange, 'origin');
    if (origin !== undefined) {
      // 2026-07-28, basic/transports/streamable-http: a present and unknown Origin is 403.
      if (!origins.allows(origin)) {
        return answerFault(exchange, undefined, {
          status: 403,
          code: rpcErrorCodes.refused,
          message: 'Pages of this origin may not call this server.',
        });
      }
      allowReading(exchange, origin);
      if (exchange.method === 'OPTIONS') {
        return answerPreflight(exchange);
      }
    }
    if (exchange.node !== undefined && countOfHeader('authorization', exchange.node) > 1) {
      return answerFault(exchange, undefined, {
        status: 400,
        code: rpcErrorCodes.invalidRequest,
        message: 'Send one Authorization header.',
        headers: { connection: 'close' },
      });
    }
    return serveExchange(exchange, parts);
  }

  async function run(
    handler: (exchange: Exchange) => Promise<void> | void,
    exchange: Exchange,
  ): Promise<void> {
    try {
      await handler(exchange);
    } catch (error) {
      const { correlationId } = exchange;
      logger.error({ err: error, correlationId }, 'request failed');
      answerFault(exchange, undefined, {
        status: 500,
        code: rpcErrorCodes.internalError,
        message: `Internal error. Give your operator the reference ${correlationId}.`,
      });
    }
  }

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    facts: NodeFacts = {},
  ): Promise<boolean> {
    const handler = handlerFor(originalUrlOf(request));
    if (handler === undefined) {
      return false;
    }
    const { socket } = request;
    const exchange = createNodeExchange(request, response, {
      sourceAddress: facts.sourceAddress ?? (socket.remoteAddress && withoutPort(socket.remoteAddress)),
      body: facts.body,
      isLeaving: () => isLeaving,
    });
    await run(handler, exchange);
    return true;
  }

  const app: McpApp = {
    serve,
    async node(request, response, bodyOrNext) {
      const isNext = typeof bodyOrNext === 'function';
      const isOurs = await serve(request, response, { body: isNext ? undefined : bodyOrNext });
      if (!isOurs && isNext) {
        (bodyOrNext as () => void)();
      } else if (!isOurs) {
        response.writeHead(404).end();
      }
    },
    async fetch(request, facts = {}) {
      const { exchange, response } = createFetchExchange(request, facts);
      const handler = handlerFor(exchange.url);
      if (handler === undefined) {
        return new Response(null, { status: 404 });
      }
      void run(handler, exchange);
      return response;
    },
    fastify: createFastifyPlugin([path, ...documents.keys()], serve),
    open: () => ({ calls: calls.count(), sessions: sessions?.count() ?? 0, streams: calls.streams() }),
    leave() {
      isLeaving = true;
    },
    drain(timeoutMs) {
      isLeaving = true;
      calls.endStreams();
      return calls.drain(timeoutMs);
    },
    async close() {
      calls.stop();
      calls.endStreams();
      calls.close();
      await Promise.all(eras.map((era) => era.close()));
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
  return app;
}

/** An earlier era takes what is of no later one. */
const latestFirst: readonly CreateHttpEra[] = Object.entries<CreateHttpEra>(registered)
  .toSorted(([one], [other]) => (one < other ? 1 : -1))
  .map(([, create]) => create);

/** RFC 9728 §3.1: anybody may read it, so any page may. */
function answerDocument(exchange: Exchange, text: string): void {
  exchange.setHeader('access-control-allow-origin', '*');
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      answerJson(exchange, 200, text);
      break;
    case 'OPTIONS':
      exchange.answer(204, {
        'access-control-allow-methods': 'GET',
        'access-control-allow-headers': 'MCP-Protocol-Version',
        'access-control-max-age': '7200',
      });
      break;
    default:
      exchange.answer(405, { allow: 'GET, OPTIONS' });
  }
}

/** Express cuts the path of a mounted handler off, and keeps the whole beside it. */
function originalUrlOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/';
}

/** The path of a request target, which may be absolute (RFC 9112 §3.2.2). */
function pathOf(target: string): string {
  if (!target.startsWith('/')) {
    return URL.parse(target)?.pathname ?? target;
  }
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** The SDKs put what a client sent into the texts of their errors. */
function nameOf(error: Error): string {
  return error.message.split(':', 1)[0]?.slice(0, 80) ?? error.name;
}
