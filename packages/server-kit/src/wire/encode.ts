import type { JsonObject, JsonValue } from '@mcp-parts/tool-kit';

import type { RpcId } from './message.ts';

/** A JSON-RPC message as an SDK hands it to a transport. */
export interface OutgoingMessage {
  readonly id?: RpcId | undefined;
  readonly method?: string | undefined;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** The members of results that hold lists, which a server works out once for each set of permissions. */
const LISTS = ['tools', 'prompts', 'resourceTemplates'] as const;

const encodedLists = new WeakMap<object, string>();

/** The text of a response under the id that the client gave its request. */
export function encodeResponse(message: OutgoingMessage, id: RpcId): string {
  const head = `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},`;
  return message.error === undefined
    ? `${head}"result":${encodeResult(message.result)}}`
    : `${head}"error":${JSON.stringify(message.error)}}`;
}

/** A frozen list is encoded once for as long as it lives. */
function encodeResult(result: unknown): string {
  if (typeof result !== 'object' || result === null) {
    return JSON.stringify(result ?? {});
  }
  for (const name of LISTS) {
    const list = (result as Record<string, unknown>)[name];
    if (Array.isArray(list) && Object.isFrozen(list)) {
      const { [name]: _list, ...others } = result as Record<string, unknown>;
      const rest = JSON.stringify(others);
      return `{"${name}":${encodeList(list as JsonValue[])}${rest === '{}' ? '}' : `,${rest.slice(1)}`}`;
    }
  }
  return JSON.stringify(result);
}

function encodeList(list: readonly JsonValue[]): string {
  let text = encodedLists.get(list);
  if (text === undefined) {
    text = JSON.stringify(list);
    encodedLists.set(list, text);
  }
  return text;
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
