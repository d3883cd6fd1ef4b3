import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import { AuditError } from '../errors.ts';
import { safeJson } from '../event/safe-json.ts';
import { untilAborted } from '../until-aborted.ts';
import { checkAnswer, MAX_ANSWER_BYTES, type CollectorAnswer } from './collector-answer.ts';

/** Where the collector is and how to reach it. */
export interface CollectorSinkOptions {
  /**
   * Receives `POST` with `{ "events": [...] }`, events first, then checkpoints (`"stage": "checkpoint"`). A 2xx means
   * that all of them are safely stored, unless its body says otherwise; it may be empty, or say how many or which.
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

/**
 * Ships events to an HTTP collector. Redirects are refused, so the token reaches no other server. An answer counts as
 * delivery when it confirms the events, as far as it can: results for each item of a bulk request are obeyed, and
 * what is no answer of a collector, such as a sign-in page, is none.
 * Its `deliver` rejects with AuditError `delivery_failed` when the collector is out of reach or in trouble,
 * `rejected_by_sink` after 400, 413, 415 or 422, `refused_by_sink` after another 4xx, and `not_confirmed`.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createCollectorSink(options: CollectorSinkOptions): AuditSink {
  const { url, name, fetch, token, timeoutMs } = resolveCollectorSinkOptions(options);
  return {
    name,
    takesCheckpoints: true,
    async deliver(events, { signal, idempotencyKey, checkpoints = [] }) {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const records = [...events, ...checkpoints];
      let answer: CollectorAnswer;
      try {
        const authorization = token && { authorization: `Bearer ${await untilAborted(token(), attempt)}` };
        const response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': idempotencyKey,
            ...authorization,
          },
          body: safeJson({ events: records }),
          redirect: 'error',
          signal: attempt,
        });
        answer = await readAnswer(response);
      } catch (cause) {
        signal.throwIfAborted();
        throw new AuditError('delivery_failed', 'The collector could not be reached', { cause });
      }
      checkAnswer(
        answer,
        records.map(({ id }) => id),
      );
    },
  };
}

// The body is read to its end: a response that breaks off is none.
async function readAnswer(response: Response): Promise<CollectorAnswer> {
  const { status, headers } = response;
  const chunks: Uint8Array[] = [];
  let size = 0;
  // What comes with a refusal is of no use; an unread body would hold its connection.
  if (!response.ok) {
    await response.body?.cancel();
  } else {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) {
        break;
      }
    }
  }
  return {
    status,
    contentType: headers.get('content-type'),
    body: size > MAX_ANSWER_BYTES ? undefined : Buffer.concat(chunks).toString('utf8'),
    retryAfterMs: parseRetryAfter(headers.get('retry-after'), Date.now()),
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
