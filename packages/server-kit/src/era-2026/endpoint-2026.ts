import type { BindingOptions, MethodTable } from '@mcp-parts/tool-kit';
import { createServer, REVISION } from '@mcp-parts/tool-kit/sdk-2026';

import type { ServedRequest } from '../gate/served-request.ts';
import { openEventStream } from '../wire/event-stream.ts';
import type { RequestMessage } from '../wire/message.ts';
import { createPendingAnswer } from '../wire/pending-answer.ts';
import { answerFault, rpcErrorCodes } from '../wire/rpc-answer.ts';
import { checkHeaders } from './header-checks.ts';
import { createSubscriptions } from './listen.ts';
import { createMultiplexTransport } from './multiplex-transport.ts';

/** Serves requests of 2026-07-28, which need nothing before them. */
export interface Endpoint2026 {
  /** `revision`: the one that the request claims. */
  readonly serve: (
    message: RequestMessage,
    revision: string | undefined,
    request: ServedRequest,
  ) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The statuses of the faults that lie in front of every handler; a handler's own are answers like others. */
const FAULT_STATUS: Readonly<Record<number, number>> = {
  [rpcErrorCodes.methodNotFound]: 404,
  [rpcErrorCodes.invalidParams]: 400,
  [rpcErrorCodes.invalidRequest]: 400,
  [rpcErrorCodes.unsupportedVersion]: 400,
};

/** Connects one long-lived server of the SDK, and lets it answer every request. */
export function createEndpoint2026(
  table: MethodTable,
  binding: BindingOptions,
  onError: (error: Error) => void,
): Endpoint2026 {
  const server = createServer(table, binding);
  const transport = createMultiplexTransport(server);
  server.onerror = onError;
  // The transport is ready at once, and so is the server.
  server.connect(transport).catch(onError);
  const subscriptions = createSubscriptions(table, { ...binding.serverInfo });

  return {
    async serve(message, revision, request) {
      const { exchange, accepts } = request;
      const { id, method } = message;
      if (revision !== REVISION) {
        answerFault(exchange, id, {
          status: 400,
          code: rpcErrorCodes.unsupportedVersion,
          message: `Unsupported protocol version. This server speaks ${REVISION}.`,
          data: { supported: [REVISION], requested: revision ?? 'unknown' },
        });
        return;
      }
      const mismatch = checkHeaders(exchange, message, table.headerParameters);
      if (mismatch !== undefined) {
        answerFault(exchange, id, mismatch);
        return;
      }
      if (method === 'subscriptions/listen') {
        if (await request.isWithinRate(message)) {
          subscriptions.serve(message, request);
        }
        return;
      }
      if (method !== 'server/discover' && !table.methods.has(method)) {
        answerFault(exchange, id, {
          status: 404,
          code: rpcErrorCodes.methodNotFound,
          message: 'Method not found',
        });
        return;
      }
      const [running] = (await request.admit([message], '2026')) ?? [];
      if (running === undefined) {
        return;
      }

      const answer = createPendingAnswer(exchange, {
        id,
        accepts,
        openChannel: () => openEventStream(exchange),
      });
      // 2026-07-28, basic/utilities/cancellation: a client that closes the stream has cancelled.
      exchange.onClose(running.cancel);
      transport.dispatch(
        message,
        { auth: running.auth(), classification: { era: 'modern', revision: REVISION } },
        {
          notify: (sent) => void answer.notify(sent),
          respond(response, isProtocolFault) {
            answer.respond(response, statusOf(response.error, isProtocolFault));
            running.leave();
          },
        },
      );
    },
    async close() {
      subscriptions.close();
      await server.close();
    },
  };
}

function statusOf(error: unknown, isProtocolFault: boolean): number {
  if (typeof error !== 'object' || error === null || !('code' in error)) {
    return 200;
  }
  const code = Number(error.code);
  // The specification names this status wherever the error arises.
  if (code === rpcErrorCodes.missingCapability) {
    return 400;
  }
  return isProtocolFault ? (FAULT_STATUS[code] ?? 400) : 200;
}
