import { randomUUID } from 'node:crypto';

import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2025';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { createEventStore } from './event-store.ts';
import type { TransportAuth } from './origin.ts';
import { takeOver } from './raw-reply.ts';
import { httpRpcCodes, sendRpcError } from './rpc-reply.ts';
import type { ResolvedSessionLimits } from './session-limits.ts';

/** How the sessions of the 2025 era are kept. */
export interface SessionOptions extends ResolvedSessionLimits {
  readonly binding: BindingOptions;
  readonly logger: Logger;
}

/** The sessions of the 2025 era: each belongs to the caller who opened it. */
export interface Sessions2025 {
  readonly handle: (
    request: FastifyRequest,
    reply: FastifyReply,
    auth: TransportAuth,
    callerId: string,
  ) => Promise<void>;
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

const MAX_SWEEP_INTERVAL_MS = 60_000;

interface Session {
  readonly transport: StreamableHTTPServerTransport;
  readonly callerId: string;
  lastUsedAt: number;
  open: number;
}

/** Opens, finds and ends sessions, and hands requests to their transport. */
export function createSessions2025(table: MethodTable, options: SessionOptions): Sessions2025 {
  const { logger } = options;
  const sessions = new Map<string, Session>();

  const sweeper = setInterval(
    () => {
      const limit = performance.now() - options.sessionIdleMs;
      for (const session of sessions.values()) {
        if (session.open === 0 && session.lastUsedAt < limit) {
          void session.transport.close();
        }
      }
    },
    Math.min(options.sessionIdleMs, MAX_SWEEP_INTERVAL_MS),
  );
  sweeper.unref();

  async function openSession(callerId: string): Promise<Session> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      onsessioninitialized: (id) => {
        sessions.set(id, session);
      },
    });
    const session: Session = { transport, callerId, lastUsedAt: performance.now(), open: 0 };
    const server = createServer(table, options.binding);
    server.onerror = (error) => logger.warn({ err: error }, 'protocol error');
    server.onclose = () => {
      if (transport.sessionId !== undefined) {
        sessions.delete(transport.sessionId);
      }
    };
    await server.connect(transport);
    return session;
  }

  return {
    async handle(request, reply, auth, callerId) {
      const id = request.headers['mcp-session-id'];
      const found = typeof id === 'string' ? sessions.get(id) : undefined;
      // A session is no credential: another caller's does not exist.
      let session = found?.callerId === callerId ? found : undefined;
      if (session === undefined) {
        if (id !== undefined) {
          return sendRpcError(
            reply,
            404,
            httpRpcCodes.sessionNotFound,
            'Session not found. Initialize again.',
          );
        }
        if (!isInitializeRequest(request.body)) {
          return sendRpcError(
            reply,
            400,
            httpRpcCodes.refused,
            'A session is needed: send "initialize" first, then its Mcp-Session-Id with every request.',
          );
        }
        if (sessions.size >= options.maxSessions) {
          logger.warn({ sessions: sessions.size }, 'session refused: too many');
          reply.header('retry-after', '30');
          return sendRpcError(reply, 503, httpRpcCodes.refused, 'Too many sessions. Try again in 30 s.');
        }
        session = await openSession(callerId);
      }
      const used = session;
      used.lastUsedAt = performance.now();
      used.open += 1;
      reply.raw.once('close', () => {
        used.open -= 1;
        used.lastUsedAt = performance.now();
      });
      await used.transport.handleRequest(Object.assign(request.raw, { auth }), takeOver(reply), request.body);
    },
    count: () => sessions.size,
    async close() {
      clearInterval(sweeper);
      await Promise.all([...sessions.values()].map((session) => session.transport.close()));
    },
  };
}
