import type { JsonObject, JsonValue, MethodTable } from '@mcp-parts/tool-kit';

import { headerOf, type RequestFacts } from '../wire/exchange.ts';
import { isObject, type RequestMessage } from '../wire/message.ts';
import { rpcErrorCodes, type HttpFault } from '../wire/rpc-answer.ts';

/** What `Mcp-Name` repeats, by method (2026-07-28, basic/transports/streamable-http; SEP-2663 for tasks). */
const NAMED: Readonly<Record<string, string | undefined>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * Compares the headers of a request with its body, so that a gateway that routes by them cannot be bypassed
 * (2026-07-28, basic/transports/streamable-http). The SDK does this only behind its own HTTP handler.
 */
export function checkHeaders(
  facts: RequestFacts,
  { method, params = {} }: RequestMessage,
  headerParameters: MethodTable['headerParameters'],
): HttpFault | undefined {
  if (headerOf(facts, 'mcp-protocol-version') === undefined) {
    return mismatch('MCP-Protocol-Version', 'The header MCP-Protocol-Version is missing.');
  }
  if (headerOf(facts, 'mcp-method') === undefined) {
    return mismatch('Mcp-Method', `The header Mcp-Method is missing; it must be ${method}.`);
  }
  return checkName(facts, method, params) ?? checkParameters(facts, method, params, headerParameters);
}

function checkName(facts: RequestFacts, method: string, params: JsonObject): HttpFault | undefined {
  const member = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined;
  const value = member === undefined ? undefined : params[member];
  if (typeof value !== 'string') {
    // The call itself says what is wrong with it.
    return undefined;
  }
  const sent = headerOf(facts, 'mcp-name');
  if (sent === undefined) {
    return mismatch('Mcp-Name', `The header Mcp-Name is missing; it must repeat params.${member}.`);
  }
  return decode(sent) === value
    ? undefined
    : mismatch('Mcp-Name', `The header Mcp-Name differs from params.${member}.`);
}

function checkParameters(
  facts: RequestFacts,
  method: string,
  params: JsonObject,
  headerParameters: MethodTable['headerParameters'],
): HttpFault | undefined {
  const { name, arguments: sentArguments } = params;
  const marked = method === 'tools/call' && typeof name === 'string' ? headerParameters.get(name) : undefined;
  for (const { header, path, type } of marked ?? []) {
    const value = valueAt(sentArguments, path);
    const expected = asHeader(value);
    if (expected === undefined) {
      continue;
    }
    const headerName = `Mcp-Param-${header}`;
    const sent = headerOf(facts, headerName.toLowerCase());
    if (sent === undefined) {
      const words = `The header ${headerName} is missing; it must repeat the argument ${path.join('.')}.`;
      return mismatch(headerName, words);
    }
    const decoded = decode(sent);
    const isSame =
      decoded === expected ||
      (type === 'integer' && decoded !== undefined && DECIMAL.test(decoded) && Number(decoded) === value);
    if (!isSame) {
      return mismatch(headerName, `The header ${headerName} differs from the argument ${path.join('.')}.`);
    }
  }
  return undefined;
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/u;
const ENCODED = /^=\?base64\?(?<text>(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)\?=$/u;
// RFC 9110 §5.5: visible characters, spaces and tabs between them.
const PLAIN = /^[\t\u{20}-\u{7E}]*$/u;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value that a header stands for; `undefined` when it stands for none. */
function decode(sent: string): string | undefined {
  const value = sent.replace(/^[ \t]+|[ \t]+$/gu, '');
  // Without its end it stands for itself: a client must encode only what has both ("Value Encoding").
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) {
    return PLAIN.test(value) ? value : undefined;
  }
  const text = ENCODED.exec(value)?.groups?.['text'];
  if (text === undefined) {
    return undefined;
  }
  try {
    return utf8.decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

function asHeader(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  const isReadable = typeof value === 'boolean' || (typeof value === 'number' && isExact(value));
  return isReadable ? String(value) : undefined;
}

/** A whole number that another program may have read as its neighbour is compared by nobody. */
function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

function valueAt(root: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let node = root;
  for (const name of path) {
    if (!isObject(node) || !Object.hasOwn(node, name)) {
      return undefined;
    }
    node = node[name];
  }
  return node;
}

function mismatch(header: string, message: string): HttpFault {
  return { status: 400, code: rpcErrorCodes.headerMismatch, message, data: { header } };
}
