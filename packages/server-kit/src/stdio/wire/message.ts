import { isUtf8 } from 'node:buffer';

import { isDeeperThan } from './json-depth.ts';

/** MCP takes strings and whole numbers; JSON-RPC's null is for answers to what could not be read. */
export type RequestId = string | number;

/** The parameters of a request or notification. */
export type Params = Readonly<Record<string, unknown>>;

/** A request, with its id as the client wrote it. */
export interface Request {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: Params | undefined;
}

/** A message that wants no answer. */
export interface Notification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Params | undefined;
}

/** The other side's answer to a request of ours; not looked into. */
export interface Response {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
}

/** An error answer. */
export interface ErrorResponse {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** What one line, or one member of a batch, holds. */
export type Incoming =
  | { readonly kind: 'request'; readonly message: Request }
  | { readonly kind: 'notification'; readonly message: Notification }
  | { readonly kind: 'response'; readonly message: Response }
  | { readonly kind: 'batch'; readonly members: readonly unknown[] }
  | { readonly kind: 'fault'; readonly answer: ErrorResponse }
  /** An answer that is none; answering an answer would have no end. */
  | { readonly kind: 'ignored' };

/** JSON-RPC 2.0 §5.1. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;

const BYTE_ORDER_MARK = '\uFEFF';
/** More than any message of the protocol needs, and far from what the stack takes. */
const MAX_DEPTH = 128;

/** An error answer to the request with this id; `null` where it could not be read. */
export function errorResponse(
  id: RequestId | null,
  code: number,
  message: string,
  data?: unknown,
): ErrorResponse {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** The answer to a line that is longer than this. */
export function tooLong(maxLineBytes: number): ErrorResponse {
  return errorResponse(
    null,
    PARSE_ERROR,
    `Parse error: a line has more than ${maxLineBytes} bytes and was skipped.`,
  );
}

/** Reads one line. `undefined`: a blank one. */
export function readMessage(line: Buffer): Incoming | undefined {
  if (!isUtf8(line)) {
    return fault(null, PARSE_ERROR, 'Parse error: a line is not UTF-8.');
  }
  const text = line.toString('utf8');
  // RFC 8259 §8.1 lets a parser ignore it; shells of Windows write one.
  const json = (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).trim();
  if (json === '') {
    return undefined;
  }
  if (isDeeperThan(json, MAX_DEPTH)) {
    return fault(null, PARSE_ERROR, `Parse error: a message is nested deeper than ${MAX_DEPTH} levels.`);
  }
  try {
    return classify(JSON.parse(json));
  } catch {
    return fault(null, PARSE_ERROR, 'Parse error: every line must be one JSON-RPC message.');
  }
}

/** Says what a value is that was sent as a message. */
export function classify(value: unknown): Incoming {
  if (Array.isArray(value)) {
    return { kind: 'batch', members: value };
  }
  if (!isObject(value)) {
    return fault(null, INVALID_REQUEST, 'Invalid request: a message must be an object.');
  }
  const { id, method } = value;
  if (!('method' in value) && ('result' in value || 'error' in value)) {
    return value['jsonrpc'] === '2.0' && isId(id)
      ? { kind: 'response', message: value as unknown as Response }
      : { kind: 'ignored' };
  }
  const problem = problemOf(value);
  if (problem !== undefined) {
    return fault(isId(id) ? id : null, INVALID_REQUEST, `Invalid request: ${problem}`);
  }
  return 'id' in value
    ? { kind: 'request', message: value as unknown as Request }
    : { kind: 'notification', message: { jsonrpc: '2.0', method: String(method), ...paramsOf(value) } };
}

/** Both SDKs drop what is not formed so, and its sender would wait for ever. */
function problemOf(value: Params): string | undefined {
  const { jsonrpc, id, method, params, ...others } = value;
  if (jsonrpc !== '2.0') {
    return '"jsonrpc" must be "2.0".';
  }
  if (typeof method !== 'string') {
    return '"method" must be a string.';
  }
  if ('id' in value && !isId(id)) {
    return '"id" must be a string or a whole number.';
  }
  if (Object.keys(others).length > 0) {
    return 'a request has no members but "jsonrpc", "id", "method" and "params".';
  }
  if (!('params' in value)) {
    return undefined;
  }
  if (!isObject(params)) {
    return '"params" must be an object.';
  }
  const { _meta: meta } = params;
  if (meta === undefined) {
    return undefined;
  }
  if (!isObject(meta)) {
    return '"params._meta" must be an object.';
  }
  const { progressToken } = meta;
  return progressToken === undefined || isId(progressToken)
    ? undefined
    : '"params._meta.progressToken" must be a string or a whole number.';
}

function paramsOf(value: Params): { readonly params?: Params } {
  return value['params'] === undefined ? {} : { params: value['params'] as Params };
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Whether this is a JSON object. */
export function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The answer to what is no request. */
export function invalidRequest(id: RequestId | null, problem: string): ErrorResponse {
  return errorResponse(id, INVALID_REQUEST, `Invalid request: ${problem}`);
}

function fault(id: RequestId | null, code: number, message: string): Incoming {
  return { kind: 'fault', answer: errorResponse(id, code, message) };
}
