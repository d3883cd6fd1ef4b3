import type { Logger } from '@mcp-parts/tool-kit';

import { isRefusal, type KnownCaller } from '../gate/gate.ts';
import { attachOrigin } from '../gate/origin.ts';
import type { ServedRequest } from '../gate/served-request.ts';
import type { HttpEra, SessionEndpoint } from '../http-era.ts';
import type { AddressLimit } from '../limits/address-limit.ts';
import { readAccept } from '../wire/accept.ts';
import { headerOf, type Exchange } from '../wire/exchange.ts';
import { inspectJson, parseJson, type ParsedJson } from '../wire/json.ts';
import { readMessage } from '../wire/message.ts';
import { answerFault, answerRefusal, rpcErrorCodes, type HttpFault } from '../wire/rpc-answer.ts';
import { admitRequests, isWithinRate, type AdmissionParts } from './admit-requests.ts';

/** The parts of an endpoint. */
export interface EndpointParts extends AdmissionParts {
  /** The latest first: each takes what is its own. */
  readonly eras: readonly HttpEra[];
  /** Of the era that has them. */
  readonly sessions: SessionEndpoint | undefined;
  readonly addresses: AddressLimit;
  readonly maxBodyBytes: number;
  readonly logger: Logger;
}

/** Each message of a batch is checked and audited by itself. */
const MAX_BATCH_MESSAGES = 100;
const METHODS = 'POST, GET, DELETE, OPTIONS';
const METHODS_WITHOUT_SESSIONS = 'POST, OPTIONS';

/**
 * Serves one request to the endpoint: limits its address, finds out who sent it, reads it, and hands it to its era.
 * Every way out of here is an answer in public words.
 */
export async function serveExchange(exchange: Exchange, parts: EndpointParts): Promise<void> {
  const { gate, addresses, logger, sessions } = parts;
  const { method, sourceAddress } = exchange;
  if (method !== 'POST' && (sessions === undefined || (method !== 'GET' && method !== 'DELETE'))) {
    const known = sessions === undefined ? METHODS_WITHOUT_SESSIONS : METHODS;
    answerFault(exchange, undefined, {
      status: 405,
      code: rpcErrorCodes.refused,
      message: `This endpoint knows ${known}.`,
      headers: { allow: known },
    });
    return;
  }
  const waitMs = addresses.waitMs(sourceAddress);
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1_000);
    answerFault(exchange, undefined, {
      status: 429,
      code: rpcErrorCodes.refused,
      message: `Too many requests from your address were refused. Wait ${seconds} s.`,
      headers: { 'retry-after': String(seconds) },
    });
    return;
  }

  const caller = await gate.authenticate(exchange);
  if (isRefusal(caller)) {
    addresses.refused(sourceAddress);
    answerRefusal(exchange, caller);
    return;
  }
  parts.table.changes?.seen(caller);
  logger.debug({ caller: caller.id, correlationId: exchange.correlationId }, 'request admitted');
  const request = servedRequest(exchange, caller, parts);
  if (method === 'POST') {
    await servePost(request, parts);
    return;
  }
  if (method === 'DELETE') {
    await sessions?.endSession(request);
    return;
  }
  await sessions?.openStream(request);
}

async function servePost(request: ServedRequest, parts: EndpointParts): Promise<void> {
  const { exchange, accepts } = request;
  if (!accepts.json && !accepts.stream) {
    refuse(exchange, 406, rpcErrorCodes.refused, 'Accept application/json or text/event-stream.');
    return;
  }
  const body = await readJson(exchange, parts.maxBodyBytes);
  if (body === undefined) {
    return;
  }
  if (Array.isArray(body)) {
    await serveBatch(body, request, parts);
    return;
  }
  const message = readMessage(body);
  if (message.kind === 'malformed') {
    answerFault(exchange, message.id, {
      status: 400,
      code: rpcErrorCodes.invalidRequest,
      message: `Invalid message. ${message.problem}`,
    });
    return;
  }
  for (const era of parts.eras) {
    const taken = era.take(message, body, exchange);
    if (typeof taken === 'function') {
      // oxlint-disable-next-line no-await-in-loop -- The first that takes it is the only one.
      await taken(request);
      return;
    }
    if (taken !== undefined) {
      answerFault(exchange, message.kind === 'notification' ? undefined : message.id, taken);
      return;
    }
  }
  answerFault(exchange, message.kind === 'notification' ? undefined : message.id, noEra);
}

const noEra: HttpFault = {
  status: 400,
  code: rpcErrorCodes.unsupportedVersion,
  message: 'Unsupported protocol version. Ask with "server/discover" which are served.',
};

async function serveBatch(
  body: readonly unknown[],
  request: ServedRequest,
  parts: EndpointParts,
): Promise<void> {
  const { exchange } = request;
  const refuse = (message: string) =>
    answerFault(exchange, undefined, { status: 400, code: rpcErrorCodes.invalidRequest, message });
  if (parts.sessions === undefined) {
    refuse('Send one message at a time.');
    return;
  }
  if (body.length === 0 || body.length > MAX_BATCH_MESSAGES) {
    refuse(`A batch has at least one message and at most ${MAX_BATCH_MESSAGES} messages.`);
    return;
  }
  const messages = body.map(readMessage);
  const bad = messages.find((message) => message.kind === 'malformed');
  if (bad !== undefined) {
    refuse(`Invalid message in the batch. ${bad.problem}`);
    return;
  }
  const requests = messages.filter((message) => message.kind === 'request');
  if (requests.some(({ method, params }) => method === 'initialize' || isOf2026(params?.['_meta']))) {
    refuse('A batch cannot hold this message: send it alone.');
    return;
  }
  await parts.sessions.postBatch(messages, request);
}

function isOf2026(meta: unknown): boolean {
  return typeof meta === 'object' && meta !== null && 'io.modelcontextprotocol/protocolVersion' in meta;
}

/** The body as a value, or `undefined` after the refusal was sent. */
async function readJson(exchange: Exchange, maxBytes: number): Promise<unknown> {
  const type = headerOf(exchange, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    refuse(exchange, 415, rpcErrorCodes.invalidRequest, 'Send JSON, with "Content-Type: application/json".');
    return undefined;
  }
  const coding = headerOf(exchange, 'content-encoding')?.trim().toLowerCase();
  if (coding !== undefined && coding !== 'identity' && coding !== '') {
    // RFC 9110 §15.5.16.
    exchange.setHeader('accept-encoding', 'identity');
    refuse(exchange, 415, rpcErrorCodes.invalidRequest, 'Send the body without Content-Encoding.');
    return undefined;
  }
  const body = await exchange.readBody(maxBytes);
  switch (body.kind) {
    case 'too_large':
      // The rest of the body is not read, so the connection cannot be used again.
      exchange.setHeader('connection', 'close');
      refuse(
        exchange,
        413,
        rpcErrorCodes.invalidRequest,
        `The request is larger than ${sizeText(maxBytes)}. Send less at once.`,
      );
      return undefined;
    case 'gone':
      return undefined;
    case 'not_text':
      refuse(exchange, 400, rpcErrorCodes.parseError, 'Parse error: the body must be UTF-8.');
      return undefined;
    case 'text':
      return accepted(exchange, parseJson(body.text));
    case 'parsed': {
      const reason = inspectJson(body.value);
      return accepted(
        exchange,
        reason === undefined ? { ok: true, value: body.value } : { ok: false, reason },
      );
    }
    default:
      return body satisfies never;
  }
}

function accepted(exchange: Exchange, parsed: ParsedJson): unknown {
  if (parsed.ok) {
    // A document that is only `null` is no message, and must not look like a refusal.
    return parsed.value ?? 0;
  }
  const words = {
    syntax: 'Parse error: the body must be one JSON-RPC message.',
    too_deep: 'Parse error: the body is nested too deeply.',
    prototype: 'Parse error: "__proto__" cannot be the name of a member.',
  };
  refuse(exchange, 400, rpcErrorCodes.parseError, words[parsed.reason]);
  return undefined;
}

function refuse(exchange: Exchange, status: number, code: number, message: string): void {
  answerFault(exchange, undefined, { status, code, message });
}

function servedRequest(exchange: Exchange, caller: KnownCaller, parts: EndpointParts): ServedRequest {
  const { sourceAddress, correlationId } = exchange;
  return {
    exchange,
    caller,
    accepts: readAccept(headerOf(exchange, 'accept')),
    auth: () => attachOrigin({ caller, sourceAddress, correlationId, transport: 'http' }),
    admit: (messages, era) => admitRequests(messages, era, { exchange, caller }, parts),
    isWithinRate: (message) => isWithinRate(exchange, caller, message, parts),
    enterStream: (end) => parts.calls.enterStream(caller.id, end),
  };
}

function sizeText(bytes: number): string {
  return bytes % 1024 ** 2 === 0 ? `${bytes / 1024 ** 2} MiB` : `${bytes} bytes`;
}
