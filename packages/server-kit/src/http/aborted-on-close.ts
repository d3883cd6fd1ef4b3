import type { FastifyReply } from 'fastify';

/** Aborts when the client goes away or has its response. */
export function abortedOnClose(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => abort.abort());
  return abort.signal;
}
