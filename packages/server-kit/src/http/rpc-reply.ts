import type { Logger } from '@mcp-parts/tool-kit';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';

/** Answers with a JSON-RPC error outside any JSON-RPC call, so its id is null. `message` is public. */
export async function sendRpcError(
  reply: FastifyReply,
  status: number,
  code: number,
  message: string,
): Promise<void> {
  await reply.code(status).send({ jsonrpc: '2.0', id: null, error: { code, message } });
}

/** JSON-RPC 2.0 §5.1, and the range it leaves to implementations. */
export const httpRpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  internalError: -32603,
  refused: -32000,
  sessionNotFound: -32001,
} as const;

/** Gives every error of the HTTP layer public words; the cause goes to the operator's log. */
export function reportErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const fields = { err: error, correlationId: request.id };
    const status = error.statusCode ?? 500;
    if (status === 413) {
      logger.warn(fields, 'request refused: body too large');
      // The rest of the body is not read, so the connection cannot be used again.
      reply.header('connection', 'close');
      return sendRpcError(
        reply,
        413,
        httpRpcCodes.invalidRequest,
        'The request is larger than 1 MiB. Send less at once.',
      );
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
