import type { FastifyReply } from 'fastify';

/** Responds with a JSON-RPC error outside any JSON-RPC call, so its id is null. `message` is public. */
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
