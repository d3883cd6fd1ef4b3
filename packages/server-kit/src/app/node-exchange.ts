import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AnswerStream, Body, Exchange } from '../wire/exchange.ts';

/** Constant for every answer: nothing here is a page, and nothing may be kept. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** What may wait to be read by one client, in bytes. */
const MAX_UNREAD_BYTES = 1024 ** 2;
/** How long a client may take to read an answer that is complete. */
const READ_TIMEOUT_MS = 30_000;

/** What a node server in front of an endpoint knows beside the request. */
export interface NodeFacts {
  /** Of the client, as a trusted proxy named it. @default the address of the connection */
  readonly sourceAddress?: string | undefined;
  /** The body, where a framework has parsed it. @default it is read here */
  readonly body?: unknown;
}

/** What only the server around knows. */
export interface NodeExchangeOptions {
  readonly sourceAddress: string | undefined;
  /** What a framework has parsed already. */
  readonly body?: unknown;
  /** Whether the server asks its clients to leave. */
  readonly isLeaving: () => boolean;
}

/** Node's request and response as an exchange. */
export function createNodeExchange(
  request: IncomingMessage,
  response: ServerResponse,
  { sourceAddress, body, isLeaving }: NodeExchangeOptions,
): Exchange {
  const arrivedAt = performance.now();
  let headers: Record<string, string> | undefined;
  let abort: AbortController | undefined;
  let listeners: (() => void)[] = [];
  let isClosed = false;

  response.once('close', () => {
    isClosed = true;
    if (!response.writableFinished) {
      abort?.abort(new DOMException('the client went away', 'AbortError'));
    }
    for (const listener of listeners) {
      listener();
    }
    listeners = [];
  });
  // Node ends a response whose client is gone with an error that is nobody's fault.
  response.once('error', () => undefined);

  const head = (status: number, own: Readonly<Record<string, string>>, length?: number) => {
    response.writeHead(status, {
      ...securityHeaders,
      ...headers,
      ...own,
      ...(length !== undefined && { 'content-length': length }),
      ...(isLeaving() && { connection: 'close' }),
    });
  };

  return {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: request.headers,
    sourceAddress,
    correlationId: randomUUID(),
    node: request,
    elapsedMs: () => performance.now() - arrivedAt,
    get signal() {
      abort ??= new AbortController();
      if (isClosed && !response.writableFinished) {
        abort.abort(new DOMException('the client went away', 'AbortError'));
      }
      return abort.signal;
    },
    readBody: (maxBytes) =>
      body === undefined ? readText(request, maxBytes) : Promise.resolve({ kind: 'parsed', value: body }),
    setHeader(name, value) {
      headers = { ...headers, [name]: value };
    },
    answer(status, own, text) {
      if (response.headersSent || isClosed) {
        return;
      }
      if (text === undefined) {
        head(status, own, status === 204 ? undefined : 0);
        response.end();
        return;
      }
      head(status, own, Buffer.byteLength(text));
      response.end(text);
      if ((response.socket?.writableLength ?? 0) > 0) {
        const timer = setTimeout(() => response.destroy(), READ_TIMEOUT_MS);
        timer.unref();
        response.once('close', () => clearTimeout(timer));
      }
    },
    openStream(own): AnswerStream {
      if (!isClosed && !response.headersSent) {
        head(200, own);
        response.flushHeaders();
      }
      const isOpen = () => !isClosed && !response.writableEnded;
      return {
        isOpen,
        write(text) {
          if (!isOpen()) {
            return false;
          }
          response.write(text);
          if (response.writableLength > MAX_UNREAD_BYTES) {
            response.destroy();
            return false;
          }
          return true;
        },
        end() {
          if (isOpen()) {
            response.end();
          }
        },
      };
    },
    onClose(listener) {
      if (isClosed) {
        listener();
      } else {
        listeners.push(listener);
      }
    },
  };
}

function readText(request: IncomingMessage, maxBytes: number): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    return Promise.resolve({ kind: 'too_large' });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        resolve({ kind: 'too_large' });
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => {
      const [first] = chunks;
      const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      resolve(isUtf8(bytes) ? { kind: 'text', text: bytes.toString() } : { kind: 'not_text' });
    });
    request.once('close', () => resolve({ kind: 'gone' }));
    request.once('error', () => resolve({ kind: 'gone' }));
  });
}
