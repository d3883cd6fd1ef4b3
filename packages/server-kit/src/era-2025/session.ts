import type { BindingOptions, Caller, JsonObject, MethodTable } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2025';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

import type { TransportAuth } from '../gate/origin.ts';
import type { Running } from '../gate/served-request.ts';
import { encodeMessage, type OutgoingMessage } from '../wire/encode.ts';
import { isObject, type Message, type RequestMessage, type RpcId } from '../wire/message.ts';
import type { PendingAnswer } from '../wire/pending-answer.ts';
import type { SessionState } from './session-id.ts';
import { createSessionStreams, type EventBudget, type SessionStreams } from './session-streams.ts';

type Receive = NonNullable<Transport['onmessage']>;
type SdkMessage = Parameters<Receive>[0];

/** How a session is served. */
export interface SessionOptions {
  readonly binding: BindingOptions;
  readonly budget: EventBudget;
  readonly now: () => number;
  readonly onError: (error: Error) => void;
}

/** Where the messages of one request go. */
export type SessionAnswer = Pick<PendingAnswer, 'notify' | 'respond' | 'abandon'>;

/** One session of the 2025 era: a server of the SDK, which knows what its client can do. */
export interface Session {
  readonly streams: SessionStreams;
  /** What the client said of itself, once it has. */
  readonly state: () => SessionState | undefined;
  /** Hands a request to the SDK. */
  readonly request: (message: RequestMessage, running: Running, answer: SessionAnswer) => void;
  /** Hands a notification or a response to the SDK, unless it is a cancellation, which ends the request at once. */
  readonly accept: (message: Exclude<Message, RequestMessage>, auth: TransportAuth) => void;
  /** Begins to tell what changes to a client that listens, whether or not it has asked for anything. */
  readonly follow: (caller: Caller) => void;
  /** Brings a new session into a state that another process agreed with its client. */
  readonly restore: (state: SessionState) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly clientId: RpcId;
  readonly running: Pick<Running, 'cancel' | 'leave'>;
  readonly answer: SessionAnswer;
}

/** Opens a session whose client has not been heard yet. */
export function openSession(table: MethodTable, options: SessionOptions): Session {
  const { binding, budget, now, onError } = options;
  const streams = createSessionStreams(budget, now);
  const waiting = new Map<number, Waiting>();
  /** The requests that the client has been asked; nobody else's answer counts. */
  const asked = new Set<RpcId>();
  let lastId = 0;
  /** Whether something may have changed while no process had this session. */
  let hasMissed = false;
  let isClosed = false;
  let state: SessionState | undefined;
  let proposed: SessionState | undefined;

  const transport: Transport = {
    start: () => Promise.resolve(),
    send(message, sendOptions) {
      const sent = message as OutgoingMessage;
      if (sent.method === undefined) {
        respond(sent);
        return Promise.resolve();
      }
      forgetCancelled(sent);
      const receiver = waiting.get(Number(sendOptions?.relatedRequestId));
      const isSent = receiver?.answer.notify(sent) ?? streams.sendStandalone(encodeMessage(sent));
      if (sent.id === undefined) {
        return Promise.resolve();
      }
      if (!isSent) {
        return Promise.reject(new Error('the client has no stream open to be asked on'));
      }
      asked.add(sent.id);
      return Promise.resolve();
    },
    close() {
      transport.onclose?.();
      return Promise.resolve();
    },
  };

  /** Nobody waits any more for the answer to a request that the server takes back. */
  function forgetCancelled({ method, params }: OutgoingMessage): void {
    if (method === 'notifications/cancelled' && isObject(params)) {
      asked.delete(params['requestId'] as RpcId);
    }
  }

  function respond(sent: OutgoingMessage): void {
    const entry = waiting.get(Number(sent.id));
    waiting.delete(Number(sent.id));
    if (proposed !== undefined && isObject(sent.result) && isText(sent.result['protocolVersion'])) {
      state = { ...proposed, version: sent.result['protocolVersion'] };
      proposed = undefined;
    }
    entry?.answer.respond(sent);
    entry?.running.leave();
  }

  function dispatch(message: RequestMessage, auth: TransportAuth, entry: Omit<Waiting, 'clientId'>): void {
    lastId += 1;
    waiting.set(lastId, { ...entry, clientId: message.id });
    const request = requestOf(message, lastId);
    // At its front door the SDK parses a message three times to see that it is a request, which is known here; what it does
    // not take for one it leaves without an answer.
    if (receive === undefined) {
      transport.onmessage?.(request, { authInfo: auth });
    } else {
      receive.call(server, request, { authInfo: auth });
    }
  }

  const server = createServer(table, binding);
  const { _onrequest: receive } = server as unknown as { readonly _onrequest?: Receive };
  server.onerror = onError;
  // The transport is ready at once, and so is the server.
  server.connect(transport).catch(onError);

  return {
    streams,
    state: () => state,
    request(message, running, answer) {
      // It may have ended while the request was let in.
      if (isClosed) {
        running.leave();
        answer.abandon();
        return;
      }
      if (message.method === 'initialize') {
        proposed = stateOf(message.params ?? {});
      }
      dispatch(message, running.auth(), { running, answer });
    },
    accept(message, auth) {
      if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
        const requestId = message.params?.['requestId'];
        for (const [id, { clientId, running, answer }] of waiting) {
          if (clientId === requestId) {
            waiting.delete(id);
            running.cancel();
            running.leave();
            answer.abandon();
          }
        }
      } else if (message.kind === 'notification') {
        const { method, params } = message;
        transport.onmessage?.(
          { jsonrpc: '2.0', method, ...(params !== undefined && { params }) },
          {
            authInfo: auth,
          },
        );
      } else if (message.kind === 'response' && asked.delete(message.id)) {
        // Its shape has been read.
        transport.onmessage?.(message.body as unknown as SdkMessage, { authInfo: auth });
      }
    },
    follow(caller) {
      server.follow(caller, hasMissed);
      hasMissed = false;
    },
    restore(restored) {
      hasMissed = true;
      const done = Promise.withResolvers<void>();
      const { version, client, capabilities } = restored;
      state = restored;
      const params = { protocolVersion: version, capabilities, clientInfo: client };
      dispatch(
        { kind: 'request', id: 0, method: 'initialize', params },
        { token: '', clientId: '', scopes: [], extra: {} },
        {
          running: { cancel: () => undefined, leave: () => undefined },
          answer: { notify: () => false, respond: () => done.resolve(), abandon: () => done.resolve() },
        },
      );
      return done.promise;
    },
    async close() {
      isClosed = true;
      // The SDK answers nothing once it is closed, and a call must not hold its place for ever.
      for (const { running, answer } of waiting.values()) {
        running.cancel();
        running.leave();
        answer.abandon();
      }
      waiting.clear();
      streams.close();
      await server.close();
    },
  };
}

/** With an id that no other request of the session has. */
function requestOf({ method, params }: RequestMessage, id: number): SdkMessage {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

function stateOf(params: JsonObject): SessionState {
  const { capabilities, clientInfo } = params;
  const info = isObject(clientInfo) ? clientInfo : {};
  return {
    version: '',
    client: { name: textOf(info['name']), version: textOf(info['version']) },
    capabilities: isObject(capabilities) ? capabilities : {},
  };
}

function textOf(value: unknown): string {
  return isText(value) ? value : '';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
