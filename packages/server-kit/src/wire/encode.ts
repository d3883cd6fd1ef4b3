import { resultText, type JsonObject, type JsonValue } from '@mcp-parts/tool-kit';

import { isObject, type RpcId } from './message.ts';

/** A JSON-RPC message as an SDK hands it to a transport. */
export interface OutgoingMessage {
  readonly id?: RpcId | undefined;
  readonly method?: string | undefined;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** The text of a response under the id that the client gave its request. */
export function encodeResponse(message: OutgoingMessage, id: RpcId): string {
  const head = `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},`;
  return message.error === undefined
    ? `${head}"result":${isObject(message.result) ? resultText(message.result) : '{}'}}`
    : `${head}"error":${JSON.stringify(message.error)}}`;
}

/** One event of a stream (HTML, "Server-sent events"). Without an id the client cannot ask for it again. */
export function encodeEvent(data: string, id?: string): string {
  return id === undefined
    ? `event: message\ndata: ${data}\n\n`
    : `event: message\nid: ${id}\ndata: ${data}\n\n`;
}

/** A comment that keeps proxies from closing a silent stream. */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** A request or notification as the client gets it. */
export function encodeMessage({ id, method, params }: OutgoingMessage): string {
  const message: JsonObject = {
    jsonrpc: '2.0',
    ...(id !== undefined && { id }),
    ...(method !== undefined && { method }),
    // The SDK has made it of JSON.
    ...(params !== undefined && { params: params as JsonValue }),
  };
  return JSON.stringify(message);
}
