import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import { AuditError } from '../errors.ts';
import { safeJson } from '../event/safe-json.ts';
import { untilAborted } from '../until-aborted.ts';

/** Where the collector is and how to reach it. */
export interface CollectorSinkOptions {
  /**
   * Receives `POST` with `{ "events": [...] }`, events first, then checkpoints (`"stage": "checkpoint"`); any
   * 2xx means that all of them are safely stored.
   */
  readonly url: string | URL;
  /** Names the cursor file. @default 'collector' */
  readonly name?: string | undefined;
  /** The HTTP client. @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Returns the bearer token; called for each request. @default none is sent */
  readonly token?: (() => Promise<string>) | undefined;
  /** How long one request may take, token included, in milliseconds, 1 to 2147483647. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

/** The options of a collector sink, checked, with every default filled in. */
interface ResolvedCollectorSinkOptions {
  readonly url: URL;
  readonly name: string;
  readonly fetch: typeof globalThis.fetch;
  /** Without it no token is sent. */
  readonly token: (() => Promise<string>) | undefined;
  readonly timeoutMs: number;
}

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
function resolveCollectorSinkOptions(options: CollectorSinkOptions): ResolvedCollectorSinkOptions {
  const { name = 'collector', fetch = globalThis.fetch, token, timeoutMs = 10_000 } = options;
  const url = URL.parse(String(options.url));
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new TypeError(`url must be an http or https URL, got ${String(options.url)}`);
  }
  checkSinkName('name', name);
  checkWhole('timeoutMs', timeoutMs, 1, MAX_TIMER_MS);
  return { url, name, fetch, token, timeoutMs };
}

const REFUSES_CONTENT = new Set([400, 413, 422]);

/**
 * Ships events to an HTTP collector. Redirects are refused, so the token reaches no other server.
 * Its `deliver` rejects with AuditError `delivery_failed`, or `rejected_by_sink` after 400, 413 or 422.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createCollectorSink(options: CollectorSinkOptions): AuditSink {
  const { url, name, fetch, token, timeoutMs } = resolveCollectorSinkOptions(options);
  return {
    name,
    takesCheckpoints: true,
    async deliver(events, { signal, idempotencyKey, checkpoints = [] }) {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      let response: Response;
      try {
        const authorization = token && { authorization: `Bearer ${await untilAborted(token(), attempt)}` };
        response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': idempotencyKey,
            ...authorization,
          },
          body: safeJson({ events: [...events, ...checkpoints] }),
          redirect: 'error',
          signal: attempt,
        });
        // The text of the response is of no use; an unread body would hold its connection.
        await response.body?.cancel();
      } catch (cause) {
        signal.throwIfAborted();
        throw new AuditError('delivery_failed', 'The collector could not be reached', { cause });
      }
      if (response.ok) {
        return;
      }
      const code = REFUSES_CONTENT.has(response.status) ? 'rejected_by_sink' : 'delivery_failed';
      const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), Date.now());
      throw new AuditError(code, `The collector responded with ${response.status}`, { retryAfterMs });
    },
  };
}

// RFC 9110 §10.2.3: seconds or a date.
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) {
    return undefined;
  }
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? ms : undefined;
}
