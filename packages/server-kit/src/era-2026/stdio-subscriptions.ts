import { randomUUID } from 'node:crypto';

import type { BindingOptions, MethodTable } from '@mcp-parts/tool-kit';

import { readMessage, type RequestMessage, type RpcId } from '../wire/message.ts';
import { rpcErrorCodes } from '../wire/rpc-answer.ts';
import {
  lacksTasks,
  openSubscription,
  readWanted,
  TASKS_REQUIRED,
  type Subscription,
} from './subscription.ts';

/** The subscriptions of one connection on stdio, where their messages come between those of calls. */
export interface StdioSubscriptions {
  /** Takes a message that opens a subscription, or ends one; `false`: it is for somebody else. */
  readonly take: (message: object) => boolean;
  /** Ends every subscription with its result. */
  readonly close: () => void;
}

/** More than this are none that one client listens to. */
const MAX_OPEN = 64;

/** Serves them. `send` takes what goes to the client. */
export function createStdioSubscriptions(
  table: MethodTable,
  { serverInfo, origin }: BindingOptions,
  send: (message: object) => void,
): StdioSubscriptions {
  const open = new Map<RpcId, Subscription>();

  function listen({ id, params }: RequestMessage): void {
    const refuse = (code: number, message: string, data?: object) =>
      send({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } });
    const wanted = readWanted(params?.['notifications'], table.capabilities);
    if (wanted === undefined) {
      refuse(rpcErrorCodes.invalidParams, '"notifications" must be an object that says what to listen to.');
      return;
    }
    if (lacksTasks(wanted, params)) {
      refuse(rpcErrorCodes.missingCapability, TASKS_REQUIRED.message, TASKS_REQUIRED.data);
      return;
    }
    if (open.size >= MAX_OPEN) {
      refuse(rpcErrorCodes.internalError, 'You have too many subscriptions open. End one of them first.');
      return;
    }
    const gone = new AbortController();
    const subscription = openSubscription(table, {
      id,
      wanted,
      request: {
        ...origin(undefined),
        signal: gone.signal,
        era: '2026',
        correlationId: randomUUID(),
      },
      serverInfo: { ...serverInfo },
      send: (message) => send({ jsonrpc: '2.0', ...message }),
      onEnded: () => void open.delete(id),
    });
    open.set(id, {
      end: subscription.end,
      close() {
        subscription.close();
        gone.abort();
        open.delete(id);
      },
    });
  }

  return {
    take(sent) {
      const message = readMessage(sent);
      if (message.kind === 'request' && message.method === 'subscriptions/listen') {
        listen(message);
        return true;
      }
      if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
        // What it names has been read as an id, or is none of ours.
        const subscription = open.get(message.params?.['requestId'] as RpcId);
        subscription?.close();
        return subscription !== undefined;
      }
      return false;
    },
    close() {
      for (const { end } of open.values()) {
        end();
      }
    },
  };
}
