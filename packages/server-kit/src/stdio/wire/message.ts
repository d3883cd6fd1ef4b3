import { isUtf8 } from 'node:buffer';

import { parseJson, type JsonProblem } from '../../wire/json.ts';
import { isObject, readMessage as readShape } from '../../wire/message.ts';

/** MCP takes strings and whole numbers; JSON-RPC's null is for answers to what could not be read. */
export type RequestId = string | number;

/** The parameters of a request or notification. */
type Params = Readonly<Record<string, unknown>>;

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
  const parsed = parseJson(json);
  return parsed.ok ? classify(parsed.value) : fault(null, PARSE_ERROR, PROBLEMS[parsed.reason]);
}

const PROBLEMS: Readonly<Record<JsonProblem, string>> = {
  syntax: 'Parse error: every line must be one JSON-RPC message.',
  too_deep: 'Parse error: a message is nested too deeply.',
  prototype: 'Parse error: "__proto__" cannot be the name of a member.',
};

/** Says what a value is that was sent as a message. */
export function classify(value: unknown): Incoming {
  if (Array.isArray(value)) {
    return { kind: 'batch', members: value };
  }
  const read = readShape(value);
  switch (read.kind) {
    case 'malformed':
      return isObject(value) && !('method' in value) && ('result' in value || 'error' in value)
        ? { kind: 'ignored' }
        : fault(read.id ?? null, INVALID_REQUEST, `Invalid request: ${read.problem}`);
    case 'request':
      return { kind: 'request', message: value as Request };
    case 'notification':
      return { kind: 'notification', message: value as Notification };
    case 'response':
      return { kind: 'response', message: value as Response };
    default:
      return read satisfies never;
  }
}

/** The answer to what is no request. */
export function invalidRequest(id: RequestId | null, problem: string): ErrorResponse {
  return errorResponse(id, INVALID_REQUEST, `Invalid request: ${problem}`);
}

function fault(id: RequestId | null, code: number, message: string): Incoming {
  return { kind: 'fault', answer: errorResponse(id, code, message) };
}
