import type { Logger } from '@mcp-parts/tool-kit';
import type { FastifyError, FastifyInstance } from 'fastify';

import { refuseLargeBody } from './json-body.ts';
import { httpRpcCodes, sendRpcError } from './rpc-reply.ts';

/** Gives every error of the HTTP layer public words; the cause goes to the operator's log. */
export function reportErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const fields = { err: error, correlationId: request.id };
    const status = error.statusCode ?? 500;
    if (status === 413) {
      logger.warn(fields, 'request refused: body too large');
      return refuseLargeBody(reply);
    }
    if (status === 415) {
      return sendRpcError(
        reply,
        415,
        httpRpcCodes.invalidRequest,
        'Send JSON, with "Content-Type: application/json".',
      );
    }
    if (status >= 400 && status < 500) {
      logger.warn(fields, 'request refused: not JSON');
      return sendRpcError(
        reply,
        400,
        httpRpcCodes.parseError,
        'Parse error: the body must be one JSON-RPC message.',
      );
    }
    logger.error(fields, 'request failed');
    return sendRpcError(reply, 500, httpRpcCodes.internalError, `Internal error. Reference ${request.id}.`);
  });
  app.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: 'not_found', message: 'The endpoint of this server is /mcp.' });
  });
}
