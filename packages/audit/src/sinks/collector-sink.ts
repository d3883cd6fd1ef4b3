import type { AuditSink } from '../delivery/sink.ts';
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
  /** How long one request may take, token included, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

const REFUSES_CONTENT = new Set([400, 413, 422]);

/**
 * Ships events to an HTTP collector. Redirects are refused, so the token reaches no other server.
 * Its `deliver` rejects with AuditError `delivery_failed`, or `rejected_by_sink` after 400, 413 or 422.
 * @throws {TypeError} when `url` is not http or https
 * @throws {RangeError} when `timeoutMs` is not positive
 */
export function createCollectorSink(options: CollectorSinkOptions): AuditSink {
  const { name = 'collector', token, timeoutMs = 10_000, fetch = globalThis.fetch } = options;
  const url = new URL(options.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`url must be http or https, got ${url.protocol}`);
  }
  if (!(timeoutMs > 0)) {
    throw new RangeError(`timeoutMs must be positive, got ${timeoutMs}`);
  }

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
        // The answer's text is of no use; an unread body would hold its connection.
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
      throw new AuditError(code, `The collector answered ${response.status}`, {
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
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
