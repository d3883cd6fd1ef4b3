import type { Caller, Logger, MethodTable, BindingOptions } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2026';
import { toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { attachOrigin, originOf, withoutPort } from './origin.ts';
import { sdkRequest, takeOver } from './raw-reply.ts';
import { createSessions2025, type Sessions2025 } from './sessions-2025.ts';

/** The one endpoint that serves both eras. */
export interface McpEndpoint {
  readonly handle: (request: FastifyRequest, reply: FastifyReply, caller: Caller) => Promise<void>;
  readonly sessions: Sessions2025;
  readonly close: () => Promise<void>;
}

/** What the endpoint needs besides the methods. */
export interface McpEndpointOptions {
  readonly serverInfo: BindingOptions['serverInfo'];
  readonly instructions: string | undefined;
  readonly logger: Logger;
  readonly maxSessions: number;
  readonly sessionIdleMs: number;
}

/** Routes each request to the SDK of its era; both use the same table. */
export function createMcpEndpoint(table: MethodTable, options: McpEndpointOptions): McpEndpoint {
  const { logger } = options;
  const binding: BindingOptions = {
    serverInfo: options.serverInfo,
    instructions: options.instructions,
    origin: originOf,
  };
  const sessions = createSessions2025(table, {
    binding,
    logger,
    maxSessions: options.maxSessions,
    sessionIdleMs: options.sessionIdleMs,
  });
  const onerror = (error: Error) => logger.warn({ err: error }, 'protocol error');
  const modern = createMcpHandler(() => createServer(table, binding), { legacy: 'reject', onerror });
  const serveModern = toNodeHandler(modern, { onerror });

  return {
    sessions,
    async handle(request, reply, caller) {
      const auth = attachOrigin({
        caller,
        transport: 'http',
        sourceAddress: withoutPort(request.ip),
        correlationId: request.id,
      });
      if (await isLegacy(request)) {
        return sessions.handle(request, reply, auth, caller.id);
      }
      return serveModern(Object.assign(sdkRequest(request), { auth }), takeOver(reply), request.body);
    },
    async close() {
      await Promise.all([sessions.close(), modern.close()]);
    },
  };
}

/** The 2.x SDK's own classification, so that it and the routing never disagree. */
async function isLegacy(request: FastifyRequest): Promise<boolean> {
  // GET and DELETE are session operations, which only the 2025 era has.
  if (request.method !== 'POST') {
    return true;
  }
  return isLegacyRequest(await toWebRequest(sdkRequest(request), request.body), request.body);
}
