import { createTransport, type ClientCertificate, type Dispatcher } from '../http/undici-transport.ts';
import type { WireHeaders } from '../http/wire.ts';
import type { Clock } from '../time/clock.ts';
import { stopCodeOf } from '../time/stop-signal.ts';
import { limitTime } from '../time/time-limit.ts';
import { tokenError } from './response.ts';

/** A request to an authorization server, as oauth4webapi writes it. */
interface TokenRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | null | undefined;
}

/** Sends one request to an authorization server. @throws {ClientError} when no complete response came */
export type TokenFetch = (
  url: string,
  request: TokenRequest,
  certificate?: ClientCertificate,
) => Promise<Response>;

/** A `fetch` over our own transport, so that its time limit, size cap and dispatcher hold for tokens, too. */
export function createTokenFetch(options: {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher | undefined;
}): TokenFetch {
  const { timeoutMs, clock, dispatcher } = options;
  return async (url, request, certificate) => {
    const { origin, pathname, search } = new URL(url);
    // The request serves every waiter, so it ends by its own time and not with the first caller.
    const limit = limitTime({
      parent: new AbortController().signal,
      limitMs: timeoutMs,
      onLimit: 'timeout',
      clock,
    });
    // A token request is rare: without idle connections there is nothing to close later.
    const transport = createTransport({
      dispatcher,
      keepAlive: false,
      connections: 1,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      certificate,
    });
    try {
      const outcome = await transport.send({
        origin,
        path: pathname + search,
        method: request.method,
        headers: request.headers,
        body: request.body?.toString(),
        maxResponseBytes: MAX_RESPONSE_BYTES,
        signal: limit.signal,
      });
      if (outcome.kind === 'response') {
        return toResponse(outcome.status, outcome.headers, outcome.body);
      }
      if (outcome.kind === 'too_large') {
        throw tokenError({ code: 'response_too_large', sent: 'yes' });
      }
      if (outcome.kind === 'refused') {
        throw tokenError({ code: 'invalid_request', sent: 'no', cause: outcome.cause });
      }
      const code = limit.signal.aborted ? stopCodeOf(limit.signal) : 'network';
      throw tokenError({ code, sent: outcome.sent, cause: outcome.cause });
    } finally {
      limit.release();
      await transport.close();
    }
  };
}

const CONNECT_TIMEOUT_MS = 3_000;
const MAX_RESPONSE_BYTES = 64 * 1024;

function toResponse(status: number, wireHeaders: WireHeaders, body: Buffer): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(wireHeaders)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) {
        headers.append(name, item);
      }
    }
  }
  // The constructor refuses a body, even an empty one, for 204, 205 and 304.
  return new Response(body.length === 0 ? null : body, { status, headers });
}
