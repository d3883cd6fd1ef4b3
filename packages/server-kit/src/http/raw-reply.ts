import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Hands the response to an SDK's transport, with the headers that hooks have set so far. */
export function takeOver(reply: FastifyReply): FastifyReply['raw'] {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) {
      reply.raw.setHeader(name, value);
    }
  }
  return reply.raw;
}

/** Node's request as the 2.x SDK types it: the same object, optional members spelt differently. */
export function sdkRequest(request: FastifyRequest): NodeIncomingMessageLike {
  return request.raw as NodeIncomingMessageLike;
}
