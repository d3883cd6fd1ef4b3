import type { JsonObject, MethodTable } from '@mcp-parts/tool-kit';

import { isFault, type ServedRequest } from '../gate/served-request.ts';
import { whenTokenEnds } from '../gate/token-lifetime.ts';
import { encodeMessage, encodeResponse } from '../wire/encode.ts';
import { openEventStream } from '../wire/event-stream.ts';
import type { RequestMessage } from '../wire/message.ts';
import { answerFault, rpcErrorCodes } from '../wire/rpc-answer.ts';
import { lacksTasks, openSubscription, readWanted, TASKS_REQUIRED } from './subscription.ts';

/** `subscriptions/listen` over HTTP, where each is a stream. */
export interface Subscriptions {
  readonly serve: (message: RequestMessage, request: ServedRequest) => void;
  /** Ends every subscription with its result. */
  readonly close: () => void;
}

/** Serves subscriptions to what changes in a table. */
export function createSubscriptions(table: MethodTable, serverInfo: JsonObject): Subscriptions {
  const open = new Set<() => void>();

  return {
    serve(message, request) {
      const { exchange, accepts, caller } = request;
      const { id } = message;
      const wanted = readWanted(message.params?.['notifications'], table.capabilities);
      if (wanted === undefined) {
        answerFault(exchange, id, {
          status: 200,
          code: rpcErrorCodes.invalidParams,
          message: '"notifications" must be an object that says what to listen to.',
        });
        return;
      }
      if (lacksTasks(wanted, message.params)) {
        answerFault(exchange, id, {
          status: 400,
          code: rpcErrorCodes.missingCapability,
          ...TASKS_REQUIRED,
        });
        return;
      }
      if (!accepts.stream) {
        const words = 'A subscription is a stream: accept text/event-stream.';
        answerFault(exchange, id, { status: 406, code: rpcErrorCodes.refused, message: words });
        return;
      }
      const place = request.enterStream(() => subscription.end());
      if (isFault(place)) {
        answerFault(exchange, id, place);
        return;
      }

      const stream = openEventStream(exchange);
      const gone = new AbortController();
      const release = () => {
        open.delete(subscription.end);
        stopWaiting();
        place.leave();
        gone.abort();
      };
      const subscription = openSubscription(table, {
        id,
        wanted,
        request: {
          caller,
          signal: gone.signal,
          era: '2026',
          transport: 'http',
          correlationId: exchange.correlationId,
          sourceAddress: exchange.sourceAddress,
        },
        serverInfo,
        send: (sent) =>
          void stream.send(sent.method === undefined ? encodeResponse(sent, id) : encodeMessage(sent)),
        onEnded() {
          release();
          stream.end();
        },
      });
      exchange.onClose(() => {
        subscription.close();
        release();
      });
      open.add(subscription.end);
      const stopWaiting = whenTokenEnds(caller, subscription.end);
    },
    close() {
      for (const end of open) {
        end();
      }
    },
  };
}
