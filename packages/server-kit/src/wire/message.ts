import type { JsonObject } from '@mcp-parts/tool-kit';

/** The id of a request: text or a whole number, echoed as it came. */
export type RpcId = string | number;

/** One JSON-RPC message, by what it is. */
export type Message =
  | {
      readonly kind: 'request';
      readonly id: RpcId;
      readonly method: string;
      readonly params: JsonObject | undefined;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject | undefined }
  | { readonly kind: 'response'; readonly id: RpcId; readonly body: JsonObject }
  | { readonly kind: 'malformed'; readonly id: RpcId | undefined; readonly problem: string };

/** A {@link Message} that wants an answer. */
export type RequestMessage = Extract<Message, { readonly kind: 'request' }>;

const REQUEST_MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** 2025-11-25, basic/utilities/tasks. */
const RELATED_TASK = 'io.modelcontextprotocol/related-task';

/**
 * Reads the shape of a message (JSON-RPC 2.0 §4 and §5; MCP allows neither `null` as an id nor a list as params). Both
 * SDKs leave a message of another shape without an answer, and its client waiting.
 */
export function readMessage(value: unknown): Message {
  if (!isObject(value)) {
    return { kind: 'malformed', id: undefined, problem: 'A message must be a JSON object.' };
  }
  const { jsonrpc, id, method, params } = value;
  const readableId = isRpcId(id) ? id : undefined;
  const malformed = (problem: string): Message => ({ kind: 'malformed', id: readableId, problem });
  if (jsonrpc !== '2.0') {
    return malformed('"jsonrpc" must be "2.0".');
  }
  if (id !== undefined && readableId === undefined) {
    return malformed('"id" must be a string or a whole number.');
  }
  if (method === undefined) {
    const isAnswer = (value['result'] === undefined) !== (value['error'] === undefined);
    if (readableId === undefined || !isAnswer) {
      return malformed('A message needs a "method", or an "id" with a "result" or an "error".');
    }
    return isObject(value['result'] ?? value['error'])
      ? { kind: 'response', id: readableId, body: value }
      : malformed('"result" and "error" must be objects.');
  }
  const unknown = Object.keys(value).find((name) => !REQUEST_MEMBERS.has(name));
  if (unknown !== undefined) {
    return malformed('A request has no members but "jsonrpc", "id", "method" and "params".');
  }
  if (typeof method !== 'string' || method === '') {
    return malformed('"method" must be a string.');
  }
  if (params !== undefined && !isObject(params)) {
    return malformed('"params" must be an object.');
  }
  const meta = params?.['_meta'];
  if (meta !== undefined && !isObject(meta)) {
    return malformed('"_meta" must be an object.');
  }
  const token = meta?.['progressToken'];
  if (token !== undefined && !isRpcId(token)) {
    return malformed('"progressToken" must be a string or a whole number.');
  }
  const related = meta?.[RELATED_TASK];
  if (related !== undefined && !(isObject(related) && typeof related['taskId'] === 'string')) {
    return malformed(`"${RELATED_TASK}" must be an object with a "taskId".`);
  }
  return readableId === undefined
    ? { kind: 'notification', method, params }
    : { kind: 'request', id: readableId, method, params };
}

/** Whether a value parsed from JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRpcId(id: unknown): id is RpcId {
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id));
}
