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

/** What may wait to be read by one client when more comes, in bytes. */
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
  options: NodeExchangeOptions,
): Exchange {
  return new NodeExchange(request, response, options);
}

/**
 * A class although it is one request's: `signal` is an accessor, and one in an object literal gives each object a shape of
 * its own, through which the request survives every collection but the rare ones of the whole heap.
 */
class NodeExchange implements Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly sourceAddress: string | undefined;
  readonly correlationId: string = randomUUID();
  readonly node: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: NodeExchangeOptions;
  readonly #arrivedAt = performance.now();
  #ownHeaders: Record<string, string> | undefined;
  #abort: AbortController | undefined;
  #listeners: (() => void)[] | undefined;
  #isClosed = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: NodeExchangeOptions) {
    this.method = request.method ?? 'GET';
    this.url = request.url ?? '/';
    this.headers = request.headers;
    this.sourceAddress = options.sourceAddress;
    this.node = request;
    this.#response = response;
    this.#options = options;
    response.once('close', () => this.#close());
    // Node ends a response whose client is gone with an error that is nobody's fault.
    response.once('error', ignore);
  }

  /** A property, as an `authenticate` of somebody else may take it out of the facts. */
  readonly elapsedMs = (): number => performance.now() - this.#arrivedAt;

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isClosed && !this.#response.writableFinished) {
      this.#abort.abort(new DOMException('the client went away', 'AbortError'));
    }
    return this.#abort.signal;
  }

  readBody(maxBytes: number): Promise<Body> {
    const { body } = this.#options;
    return body === undefined
      ? readText(this.node, maxBytes)
      : Promise.resolve({ kind: 'parsed', value: body });
  }

  setHeader(name: string, value: string): void {
    this.#ownHeaders = { ...this.#ownHeaders, [name]: value };
  }

  answer(status: number, own: Readonly<Record<string, string>>, text?: string): void {
    const response = this.#response;
    if (response.headersSent || this.#isClosed) {
      return;
    }
    if (text === undefined) {
      this.#head(status, own, status === 204 ? undefined : 0);
      response.end();
      return;
    }
    this.#head(status, own, Buffer.byteLength(text));
    this.#end(text);
  }

  openStream(own: Readonly<Record<string, string>>): AnswerStream {
    const response = this.#response;
    if (!this.#isClosed && !response.headersSent) {
      this.#head(200, own);
      response.flushHeaders();
    }
    const isOpen = (): boolean => !this.#isClosed && !response.writableEnded;
    return {
      isOpen,
      write(text) {
        if (!isOpen()) {
          return false;
        }
        // What waits counts, not what comes: one event may be larger.
        if (response.writableLength > MAX_UNREAD_BYTES) {
          response.destroy();
          return false;
        }
        response.write(text);
        return true;
      },
      end: () => {
        if (isOpen()) {
          this.#end();
        }
      },
    };
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) {
      listener();
    } else {
      (this.#listeners ??= []).push(listener);
    }
  }

  #end(text?: string): void {
    const response = this.#response;
    response.end(text);
    if ((response.socket?.writableLength ?? 0) > 0) {
      const timer = setTimeout(() => response.destroy(), READ_TIMEOUT_MS);
      timer.unref();
      response.once('close', () => clearTimeout(timer));
    }
  }

  #head(status: number, own: Readonly<Record<string, string>>, length?: number): void {
    this.#response.writeHead(status, {
      ...securityHeaders,
      ...this.#ownHeaders,
      ...own,
      ...(length !== undefined && { 'content-length': length }),
      ...(this.#options.isLeaving() && { connection: 'close' }),
    });
  }

  #close(): void {
    this.#isClosed = true;
    if (!this.#response.writableFinished) {
      this.#abort?.abort(new DOMException('the client went away', 'AbortError'));
    }
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) {
      listener();
    }
  }
}

function ignore(): void {}

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
