import type { FastifyInstance, FastifyReply } from 'fastify';

import { httpRpcCodes, sendRpcError } from './rpc-reply.ts';

/** The largest body of a request. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Parses JSON bodies, and lets a DELETE pass that announces JSON and has none: that is how the Python SDK ends
 * a session.
 */
export function parseJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '' && request.method === 'DELETE') {
      done(null);
    } else {
      void parseJson(request, body, done);
    }
  });
}

/** Refuses a body of more than {@link MAX_BODY_BYTES}. */
export async function refuseLargeBody(reply: FastifyReply): Promise<void> {
  // The rest of the body is not read, so the connection cannot be used again.
  reply.header('connection', 'close');
  const limit = `${MAX_BODY_BYTES / 1024 ** 2} MiB`;
  await sendRpcError(
    reply,
    413,
    httpRpcCodes.invalidRequest,
    `The request is larger than ${limit}. Send less at once.`,
  );
}
