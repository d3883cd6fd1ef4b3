import type { JsonValue } from '@mcp-parts/tool-kit';

import type { Exchange } from './exchange.ts';
import type { RpcId } from './message.ts';

/** JSON-RPC 2.0 §5.1, the codes of MCP 2026-07-28, and the range that JSON-RPC leaves to implementations. */
export const rpcErrorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  unsupportedVersion: -32022,
  missingCapability: -32021,
  refused: -32000,
  sessionNotFound: -32001,
} as const;

/** An error that a client is told; its words are public. */
interface RpcFault {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue | undefined;
}

/** A refusal as an HTTP answer, with the words for the client in a JSON-RPC error. */
export interface HttpFault extends RpcFault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const json = { 'content-type': 'application/json' } as const;

/** The text of an error response. `id` is that of the request, or `null` when it cannot be known. */
function faultText(id: RpcId | null, { code, message, data }: RpcFault): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: { code, message, ...(data !== undefined && { data }) },
  });
}

/** Answers with an error. */
export function answerFault(exchange: Exchange, id: RpcId | undefined, fault: HttpFault): void {
  exchange.answer(fault.status, { ...json, ...fault.headers }, faultText(id ?? null, fault));
}

/** Answers with a JSON document. */
export function answerJson(exchange: Exchange, status: number, text: string): void {
  exchange.answer(status, json, text);
}

/** Answers in place of the one that was asked for. */
export function answerRefusal(
  exchange: Exchange,
  {
    refused,
  }: {
    readonly refused: {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly body?: object | undefined;
    };
  },
): void {
  const { status, headers, body } = refused;
  exchange.answer(
    status,
    { ...(body !== undefined && json), ...headers },
    body === undefined ? undefined : JSON.stringify(body),
  );
}
