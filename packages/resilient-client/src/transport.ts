// The only file that knows undici. Importing undici 8 also installs a dispatcher for the global fetch (undici #5500).
import { Agent, type Dispatcher } from 'undici';

import type { Sent } from './retry.ts';
import { untilAborted } from './time-limit.ts';

export type { Dispatcher };

/** One request, ready to be written. */
export interface WireRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly maxResponseBytes: number;
  /** Aborting it closes the socket. */
  readonly signal: AbortSignal;
}

/** What became of it. An abort is told from a network failure by the signal, not by the error. */
export type WireOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: WireHeaders;
      readonly body: Buffer;
    }
  | { readonly kind: 'too_large'; readonly status: number }
  | { readonly kind: 'lost'; readonly sent: Sent; readonly cause: unknown };

/** Response headers with lower-case names. */
export type WireHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Sends requests over real sockets; never throws for what a network may do. */
export interface Transport {
  send(request: WireRequest): Promise<WireOutcome>;
  /** Closes the sockets, unless the dispatcher was handed in. */
  close(): Promise<void>;
}

/** A client certificate for mutual TLS, in PEM. */
export interface ClientCertificate {
  /** The certificate, with its chain. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Authorities to trust for the server. @default those of Node.js */
  readonly ca?: string | Buffer;
}

/** Opens a transport with its own connections, or on a dispatcher that the caller keeps and closes. */
export function createTransport(options: {
  dispatcher: Dispatcher | undefined;
  /** Whether idle connections are kept for the next request. */
  keepAlive: boolean;
  /** Presented to the server (mutual TLS) on own connections. */
  certificate?: ClientCertificate | undefined;
}): Transport {
  const own =
    options.dispatcher === undefined ? createAgent(options.keepAlive, options.certificate) : undefined;
  const dispatcher = (options.dispatcher ?? own)?.compose(markStart);
  if (dispatcher === undefined) throw new TypeError('no dispatcher');

  return {
    async send(request) {
      const progress: Progress = { started: false, signal: request.signal };
      let status: number | undefined;
      try {
        const pending = dispatcher.request({
          origin: request.origin,
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          signal: request.signal,
          opaque: progress,
        });
        // undici notices an abort in its queue only when the request's turn comes.
        const response = await untilAborted(pending, request.signal);
        status = response.statusCode;
        // The answer to a HEAD declares the length of a body it does not have.
        const declaredBytes = request.method === 'HEAD' ? 0 : Number(response.headers['content-length'] ?? 0);
        const body = await readBody(response.body, declaredBytes, request.maxResponseBytes);
        if (body === undefined) return { kind: 'too_large', status };
        return { kind: 'answered', status, headers: response.headers, body };
      } catch (cause) {
        return { kind: 'lost', sent: status === undefined ? sentOf(request, progress, cause) : 'yes', cause };
      }
    },
    async close() {
      await own?.destroy();
    },
  };
}

function createAgent(keepAlive: boolean, certificate: ClientCertificate | undefined): Agent {
  return new Agent({
    // Without a bound, undici opens one socket for each concurrent request.
    connections: 32,
    pipelining: keepAlive ? 1 : 0,
    connect: { timeout: 3_000, ...certificate },
    // Below the usual idle timeout of servers and proxies, so that we close first.
    keepAliveTimeout: 4_000,
    // HTTP/2 reports aborts and resets with other codes.
    allowH2: false,
    // Its own timers are seconds coarse and measure idleness; the attempt timer covers headers and body.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

interface Progress {
  started: boolean;
  readonly signal: AbortSignal;
}

/** Notes when a request gets a connected socket, so that one aborted while it queued is known not to have left. */
const markStart: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  // `request` hands every option on, `opaque` included, although the type of `dispatch` does not list it.
  const progress = (options as { opaque?: Progress }).opaque;
  const onRequestStart = handler.onRequestStart?.bind(handler);
  handler.onRequestStart = (controller, context) => {
    if (progress !== undefined && !progress.signal.aborted) progress.started = true;
    onRequestStart?.(controller, context);
  };
  return dispatch(options, handler);
};

function sentOf(request: WireRequest, progress: Progress, cause: unknown): Sent {
  if (progress.started) return 'maybe';
  return request.signal.aborted || isConnectFailure(cause) ? 'no' : 'maybe';
}

function isConnectFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  return (
    syscall === 'connect' || syscall === 'getaddrinfo' || (code !== undefined && CONNECT_FAILURES.has(code))
  );
}

// An AggregateError over several addresses carries a code and no syscall.
const CONNECT_FAILURES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

/** The whole body, or undefined as soon as it exceeds `maxBytes`. An unread body would block its socket for ever. */
function readBody(
  body: Dispatcher.ResponseData['body'],
  declaredBytes: number,
  maxBytes: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const giveUp = () => {
      resolve(undefined);
      body.destroy();
    };
    body.on('error', reject);
    body.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)));
    if (declaredBytes > maxBytes) return giveUp();
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) giveUp();
      else chunks.push(chunk);
    });
  });
}
