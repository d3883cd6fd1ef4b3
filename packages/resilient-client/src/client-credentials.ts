import { z } from 'zod';

import { ClientError, type Failure } from './client-error.ts';
import { systemClock, type Clock } from './clock.ts';
import { cleanText } from './problem.ts';
import { limitTime, stopCodeOf, untilAborted } from './time-limit.ts';
import type { AccessToken, TokenSource } from './token-source.ts';
import { createTransport, type Dispatcher } from './transport.ts';

/** How to get tokens for this program itself (RFC 6749 §4.4). */
export interface ClientCredentialsOptions {
  /** The authorization server's token endpoint. */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Read before each token request, so that a rotated secret is picked up. Sent by client_secret_basic. */
  readonly clientSecret: () => string;
  /** Space-separated scopes. @default what the server grants by itself */
  readonly scope?: string;
  /** The service the token is for, as an absolute URI (RFC 8707). @default not sent */
  readonly resource?: string;
  /** The same for servers that know `audience` instead. @default not sent */
  readonly audience?: string;
  /** A token is replaced this many milliseconds before it expires, or at half its life if that is later. @default 30_000 */
  readonly skewMs?: number;
  /** Time for one token request in milliseconds. @default 5_000 */
  readonly timeoutMs?: number;
  /** @default the system's clock and timers */
  readonly clock?: Clock;
  /** An undici dispatcher of your own; you close it. @default a new connection for each token request */
  readonly dispatcher?: Dispatcher;
}

/**
 * Gets and keeps an access token by the client credentials grant. Concurrent callers share one request, a failure is
 * remembered for 2 s, and nothing needs closing. One source is for one scope and resource.
 * @throws {TypeError} when `tokenUrl` is not an absolute http(s) URL
 * @throws {RangeError} when a duration is not a positive number
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenSource {
  const { clock = systemClock, skewMs = 30_000, timeoutMs = 5_000 } = options;
  const url = parseTokenUrl(options.tokenUrl);
  checkDuration('skewMs', skewMs);
  checkDuration('timeoutMs', timeoutMs);
  // A token request is rare: without idle connections there is nothing to close.
  const transport = createTransport({ dispatcher: options.dispatcher, keepAlive: false });
  let current: { readonly token: AccessToken; readonly usableUntil: number } | undefined;
  let failed: { readonly error: ClientError; readonly until: number } | undefined;
  let inFlight: Promise<AccessToken> | undefined;

  async function fetchToken(): Promise<AccessToken> {
    const startedAt = clock.monotonicNow();
    // The request serves every waiter, so it ends by its own time and not with the first caller.
    const limit = limitTime({
      parent: new AbortController().signal,
      limitMs: timeoutMs,
      onLimit: 'timeout',
      clock,
    });
    try {
      const outcome = await transport.send({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: {
          accept: 'application/json',
          authorization: basicCredentials(options.clientId, options.clientSecret()),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: grantRequest(options),
        maxResponseBytes: MAX_TOKEN_RESPONSE_BYTES,
        signal: limit.signal,
      });
      if (outcome.kind === 'too_large') throw tokenError({ code: 'response_too_large', sent: 'yes' });
      if (outcome.kind === 'lost') {
        const code = limit.signal.aborted ? stopCodeOf(limit.signal) : 'network';
        throw tokenError({ code, sent: outcome.sent, cause: outcome.cause });
      }
      const granted = readTokenResponse(outcome.status, outcome.body);
      const lifeMs = granted.expires_in * 1000;
      const token = { value: granted.access_token };
      // Counted from before the request: its way back is part of the token's life.
      current = { token, usableUntil: startedAt + lifeMs - Math.min(skewMs, lifeMs / 2) };
      return token;
    } catch (cause) {
      const error =
        cause instanceof ClientError ? cause : tokenError({ code: 'unauthenticated', sent: 'no', cause });
      failed = { error, until: clock.monotonicNow() + FAILURE_MEMORY_MS };
      throw error;
    } finally {
      limit.release();
      inFlight = undefined;
    }
  }

  return {
    async get({ signal }) {
      const now = clock.monotonicNow();
      if (current !== undefined && now < current.usableUntil) return current.token;
      // Without this, every call during an outage of the identity provider would hammer it, or lock the client out.
      if (failed !== undefined && now < failed.until) throw failed.error;
      inFlight ??= fetchToken();
      return untilAborted(inFlight, signal);
    },
    reject(value) {
      // A late 401 of an older token must not throw away its successor.
      if (current?.token.value === value) current = undefined;
    },
  };
}

const MAX_TOKEN_RESPONSE_BYTES = 64 * 1024;
const FAILURE_MEMORY_MS = 2_000;

const tokenResponse = z.object({
  // RFC 6750 §2.1: anything else could not stand in a header.
  access_token: z.string().regex(/^[\w.~+/-]+=*$/),
  token_type: z.string().regex(/^bearer$/i),
  // RFC 6749 §5.1 only recommends it, and some servers send a string.
  expires_in: z.coerce.number().positive().default(300),
});

function readTokenResponse(status: number, body: Buffer): z.output<typeof tokenResponse> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    json = undefined;
  }
  if (status === 200) {
    const parsed = tokenResponse.safeParse(json);
    if (parsed.success) return parsed.data;
    throw tokenError({ code: 'invalid_response', sent: 'yes', status, cause: parsed.error });
  }
  const oauth = z.object({ error: z.string() }).safeParse(json);
  const cause = oauth.success ? new Error(cleanText(oauth.data.error)) : undefined;
  if (status >= 500) throw tokenError({ code: 'server_error', sent: 'yes', status, cause });
  if (status === 429) throw tokenError({ code: 'throttled', sent: 'yes', status, cause });
  throw tokenError({ code: 'unauthenticated', sent: 'yes', status, cause });
}

function tokenError(failure: Failure): ClientError {
  return new ClientError(failure, {
    service: 'sign-in service',
    endpoint: 'token',
    attempts: 1,
    isRepeatable: true,
    explain: undefined,
  });
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function basicCredentials(clientId: string, clientSecret: string): string {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`;
}

function grantRequest({ scope, resource, audience }: ClientCredentialsOptions): string {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== undefined) form.set('scope', scope);
  if (resource !== undefined) form.set('resource', resource);
  if (audience !== undefined) form.set('audience', audience);
  return form.toString();
}

function parseTokenUrl(tokenUrl: string): URL {
  const url = URL.parse(tokenUrl);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError('tokenUrl must be an absolute http(s) URL');
  return url;
}

function checkDuration(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0)
    throw new RangeError(`${name} must be a positive number, not ${value}`);
}
