import { randomUUID } from 'node:crypto';

import type { AnswerStream, Body, Exchange, HttpHeaders } from '../wire/exchange.ts';
import { securityHeaders } from './node-exchange.ts';

/** What the platform knows beside a web request. */
export interface FetchFacts {
  /** Of the client. */
  readonly sourceAddress?: string | undefined;
  /** The body, where it was parsed already. */
  readonly body?: unknown;
}

/** A web request as an exchange, and the response that it will have. */
export function createFetchExchange(
  request: Request,
  facts: FetchFacts,
): { readonly exchange: Exchange; readonly response: Promise<Response> } {
  const arrivedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<Response>();
  const url = new URL(request.url);
  const headers: Record<string, string> = {};
  let listeners: (() => void)[] = [];
  let isAnswered = false;
  let isClosed = false;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  const close = () => {
    if (isClosed) {
      return;
    }
    isClosed = true;
    for (const listener of listeners) {
      listener();
    }
    listeners = [];
  };
  /** Nobody reads the answer; a platform that waits for it, or for its end, must not wait for ever. */
  const leave = () => {
    if (!isClosed) {
      controller?.error(request.signal.reason);
    }
    close();
    if (!isAnswered) {
      isAnswered = true;
      resolve(new Response(null, { status: CLIENT_GONE }));
    }
  };
  if (request.signal.aborted) {
    leave();
  }
  request.signal.addEventListener('abort', leave, { once: true });

  const exchange: Exchange = {
    method: request.method,
    url: url.pathname + url.search,
    headers: Object.fromEntries(request.headers) as HttpHeaders,
    sourceAddress: facts.sourceAddress,
    correlationId: randomUUID(),
    signal: request.signal,
    elapsedMs: () => performance.now() - arrivedAt,
    readBody: (maxBytes) =>
      facts.body === undefined
        ? readText(request, maxBytes)
        : Promise.resolve({ kind: 'parsed', value: facts.body }),
    setHeader(name, value) {
      headers[name] = value;
    },
    answer(status, own, text) {
      if (isAnswered) {
        return;
      }
      isAnswered = true;
      resolve(new Response(text ?? null, { status, headers: { ...securityHeaders, ...headers, ...own } }));
      close();
    },
    openStream(own): AnswerStream {
      isAnswered = true;
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>(
        {
          start(opened) {
            controller = opened;
          },
          cancel: close,
        },
        { highWaterMark: MAX_UNREAD_BYTES, size: (chunk) => chunk.length },
      );
      resolve(new Response(body, { status: 200, headers: { ...securityHeaders, ...headers, ...own } }));
      return {
        isOpen: () => !isClosed,
        write(text) {
          if (isClosed) {
            return false;
          }
          // What waits counts, not what comes: one event may be larger.
          if ((controller?.desiredSize ?? 0) <= 0) {
            controller?.error(new Error('the client does not read'));
            close();
            return false;
          }
          controller?.enqueue(encoder.encode(text));
          return true;
        },
        end() {
          if (!isClosed) {
            controller?.close();
            close();
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
  return { exchange, response: promise };
}

/** As nginx logs a request whose client has closed its connection. */
const CLIENT_GONE = 499;
/** What may wait to be read by one client when more comes, in bytes. */
const MAX_UNREAD_BYTES = 1024 ** 2;

const utf8 = new TextDecoder('utf-8', { fatal: true });

async function readText(request: Request, maxBytes: number): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > maxBytes) {
        return { kind: 'too_large' };
      }
      chunks.push(chunk);
    }
  } catch {
    return { kind: 'gone' };
  }
  try {
    return { kind: 'text', text: utf8.decode(Buffer.concat(chunks)) };
  } catch {
    return { kind: 'not_text' };
  }
}
