import type { Server, Transport } from '@modelcontextprotocol/server';

import type { TransportAuth } from '../gate/origin.ts';
import type { OutgoingMessage } from '../wire/encode.ts';
import type { RequestMessage } from '../wire/message.ts';

type Receive = NonNullable<Transport['onmessage']>;
type Message = Parameters<Receive>[0];
type Extra = Parameters<Receive>[1];
type SendOptions = Parameters<Transport['send']>[1];

/** Where the messages of one request go. */
interface Receiver {
  /** `isProtocolFault`: the SDK has refused the request without asking a handler. */
  readonly respond: (message: OutgoingMessage, isProtocolFault: boolean) => void;
  readonly notify: (message: OutgoingMessage) => void;
}

/**
 * One transport for all requests of a process: each gets an id of its own, so that one long-lived server of the SDK
 * answers them all, whatever ids their clients chose.
 */
export interface MultiplexTransport extends Transport {
  readonly dispatch: (
    message: RequestMessage,
    extra: { readonly auth: TransportAuth; readonly classification: unknown },
    receiver: Receiver,
  ) => void;
}

/** Makes it; connect this server to it. */
export function createMultiplexTransport(server: Server): MultiplexTransport {
  const { _onrequest: receive } = server as unknown as { readonly _onrequest?: Receive };
  const receivers = new Map<number, Receiver>();
  let lastId = 0;
  let dispatching: number | undefined;

  const transport: MultiplexTransport = {
    start: () => Promise.resolve(),
    send(message: Message, options?: SendOptions) {
      if ('method' in message) {
        receivers.get(Number(options?.relatedRequestId))?.notify(message);
        return Promise.resolve();
      }
      const id = Number(message.id);
      const receiver = receivers.get(id);
      receivers.delete(id);
      receiver?.respond(message, dispatching === id);
      return Promise.resolve();
    },
    close() {
      transport.onclose?.();
      return Promise.resolve();
    },
    dispatch({ method, params }, { auth, classification }, receiver) {
      const id = (lastId += 1);
      receivers.set(id, receiver);
      dispatching = id;
      const request: Message = { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
      // It is the SDK's own classification.
      const extra = { authInfo: auth, classification } as unknown as Extra;
      try {
        // At its front door the SDK parses a message three times to see that it is a request, which is known here.
        if (receive === undefined) {
          transport.onmessage?.(request, extra);
        } else {
          receive.call(server, request, extra);
        }
      } finally {
        dispatching = undefined;
      }
    },
  };
  return transport;
}
