import type { Caller } from '@mcp-parts/auth';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { abortedOnClose } from './aborted-on-close.ts';
import type { Gate } from './gate.ts';
import type { McpEndpoint } from './mcp-endpoint.ts';
import { httpRpcCodes, sendRpcError } from './rpc-reply.ts';
import type { createStepUpCheck } from './step-up.ts';
import { endStreamWithToken } from './token-lifetime.ts';

// Each call of a batch is checked and audited before the rate limit counts it.
const MAX_BATCH_MESSAGES = 100;

/** Puts the endpoint behind the gate: nobody's body is read before their token is verified. */
export function addEndpoint(
  app: FastifyInstance,
  path: string,
  parts: {
    readonly gate: Gate;
    readonly endpoint: McpEndpoint;
    /** Without it, no call is stopped for want of a scope before it runs. */
    readonly stepUp?: ReturnType<typeof createStepUpCheck> | undefined;
  },
): void {
  const { gate, endpoint, stepUp } = parts;
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.all(path, {
    async onRequest(request, reply) {
      const caller = await gate.admit(request, reply);
      if (caller !== undefined) {
        callers.set(request, caller);
      }
    },
    async handler(request, reply) {
      const caller = callers.get(request);
      // The gate has responded already if there is none.
      if (caller === undefined) {
        return;
      }
      if (Array.isArray(request.body) && request.body.length > MAX_BATCH_MESSAGES) {
        const words = `A batch has at most ${MAX_BATCH_MESSAGES} messages.`;
        return sendRpcError(reply, 400, httpRpcCodes.invalidRequest, words);
      }
      const needed = await stepUp?.(request, caller, abortedOnClose(reply));
      if (needed !== undefined) {
        await gate.refuse(needed.error, request, reply, { caller, calls: needed.calls });
        return;
      }
      endStreamWithToken(request, reply, caller);
      await endpoint.handle(request, reply, caller);
    },
  });
}
