import { AuditError, type AuditErrorCode, type RefusedRecord } from '../errors.ts';

/** What a collector answered. */
export interface CollectorAnswer {
  readonly status: number;
  readonly contentType: string | null;
  /** At most {@link MAX_ANSWER_BYTES} of it are looked at; `undefined` for more than that. */
  readonly body: string | undefined;
  /** How long it asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** The results of a hundred events are some 30 KB. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Returns when the answer says that all records arrived. A status of 2xx is not enough where the body says more: a
 * sign-in page, a proxy's greeting, a cut-off text or a count that is short is no delivery.
 *
 * Understood are an empty body, `{ "accepted": n, "duplicates": m }`, the per-item results of a bulk request
 * (Elasticsearch and OpenSearch `_bulk`, 207 Multi-Status), `text` and `code` of the Splunk HTTP Event Collector and
 * `partialSuccess` of OTLP; of any other JSON object that it reports no error.
 * @throws {AuditError} `delivery_failed`, `refused_by_sink`, `rejected_by_sink`, `not_confirmed`
 */
export function checkAnswer(answer: CollectorAnswer, ids: readonly string[]): void {
  const { status, retryAfterMs } = answer;
  if (status < 200 || status > 299) {
    throw failure(codeOf(status), `The collector responded with ${status}`, { retryAfterMs });
  }
  const text = answer.body?.replace(/^\uFEFF/u, '').trim();
  if (text === undefined || (text === '' && PARTIAL.has(status))) {
    throw failure('not_confirmed', `The collector responded with ${status} and no result to read`);
  }
  if (text === '' || isAcknowledgement(answer.contentType, text)) {
    return;
  }
  const value = parseJson(text);
  if (!isRecord(value)) {
    throw failure('not_confirmed', `The collector responded with ${status} and something that is no result`);
  }
  const items = itemsOf(value);
  if (items !== undefined) {
    checkItems(items, ids);
  } else if (PARTIAL.has(status)) {
    throw failure('not_confirmed', `The collector responded with ${status} without a result for each record`);
  }
  checkCounts(value, ids.length);
  checkSplunk(value);
  checkOtlp(value);
  // With a result for each record, `errors` says that one of them was not created, be it there already.
  checkVerdict(items === undefined ? value : { ...value, errors: undefined });
}

// RFC 9110 §15.3.7, RFC 4918 §11.1, RFC 5842 §7.1: parts of something.
const PARTIAL = new Set([206, 207, 208]);
// What is in the request, and nothing else.
const REJECTS_CONTENT = new Set([400, 413, 415, 422]);
const HTTP_CONFLICT = 409;
// RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4: the same request may pass later. With an idempotency key, a conflict
// says that the first attempt still runs.
const TRY_AGAIN = new Set([408, HTTP_CONFLICT, 425, 429]);
/** HEC: no data, invalid format, event field missing or blank, invalid indexed fields. */
const SPLUNK_CONTENT = new Set([5, 6, 12, 13, 15]);
/** HEC: tokens, index, channels, acknowledgement and query string. */
const SPLUNK_REFUSED = new Set([1, 2, 3, 4, 7, 10, 11, 14, 16, 21, 22]);

type Members = Readonly<Record<string, unknown>>;

/** What a status other than 2xx says: of the content, of us, or of the collector. */
function codeOf(status: number): AuditErrorCode {
  if (REJECTS_CONTENT.has(status)) {
    return 'rejected_by_sink';
  }
  return status < 400 || status > 499 || TRY_AGAIN.has(status) ? 'delivery_failed' : 'refused_by_sink';
}

// Logstash answers `ok`, other receivers similarly, as plain text.
function isAcknowledgement(contentType: string | null, text: string): boolean {
  return !/json|html/iu.test(contentType ?? '') && /^(?:ok|success|accepted|created)[.!]?$/iu.test(text);
}

function checkItems(items: readonly unknown[], ids: readonly string[]): void {
  const statuses = items.map(statusOfItem);
  if (statuses.length !== ids.length || statuses.includes(undefined)) {
    throw failure(
      'not_confirmed',
      `The collector reported ${items.length} results for ${ids.length} records, or unreadable ones`,
    );
  }
  const refused = ids.flatMap((id, index): RefusedRecord[] => {
    const status = statuses[index] ?? 0;
    // A document that is created again is there already.
    const isTaken = (status >= 200 && status <= 299) || status === HTTP_CONFLICT;
    return isTaken ? [] : [{ id, isRetryable: codeOf(status) !== 'rejected_by_sink' }];
  });
  if (refused.length > 0) {
    const code = refused.every(({ isRetryable }) => isRetryable) ? 'delivery_failed' : 'rejected_by_sink';
    throw failure(code, `The collector did not take ${refused.length} of ${ids.length} records`, { refused });
  }
}

function itemsOf(value: Members): readonly unknown[] | undefined {
  for (const name of ['items', 'results', 'responses']) {
    if (Array.isArray(value[name])) {
      return value[name];
    }
  }
  if (value['errors'] === true) {
    throw failure('not_confirmed', 'The collector reported errors, but not of which record');
  }
  return undefined;
}

/** `{ "status": 201 }`, or the same below the name of the action, as in `{ "index": { "status": 201 } }`. */
function statusOfItem(item: unknown): number | undefined {
  for (const level of [item, ...(isRecord(item) ? Object.values(item) : [])]) {
    if (isRecord(level)) {
      const status = level['status'] ?? level['statusCode'] ?? level['code'];
      if (typeof status === 'number') {
        return status;
      }
    }
  }
  return undefined;
}

function checkCounts(value: Members, sent: number): void {
  const [accepted, duplicates] = [value['accepted'], value['duplicates']];
  if (typeof accepted === 'number') {
    const arrived = accepted + (typeof duplicates === 'number' ? duplicates : 0);
    if (!(arrived >= sent)) {
      throw failure('not_confirmed', `The collector has ${arrived} of ${sent} records`);
    }
  }
  for (const name of ['rejected', 'failed', 'dropped', 'errorCount']) {
    const count = value[name];
    if (typeof count === 'number' && count > 0) {
      throw failure('not_confirmed', `The collector reports ${count} records as ${name}`);
    }
  }
}

function checkSplunk({ text, code }: Members): void {
  if (typeof text !== 'string' || typeof code !== 'number' || code === 0) {
    return;
  }
  const refused = SPLUNK_REFUSED.has(code) ? 'refused_by_sink' : 'delivery_failed';
  throw failure(
    SPLUNK_CONTENT.has(code) ? 'rejected_by_sink' : refused,
    `The collector responded with code ${code}`,
  );
}

// OTLP 1.x, "Partial Success": what was rejected must not be sent again, and which records it were is not said.
function checkOtlp({ partialSuccess }: Members): void {
  const rejected = isRecord(partialSuccess) ? Number(partialSuccess['rejectedLogRecords'] ?? 0) : 0;
  if (rejected !== 0) {
    throw failure('rejected_by_sink', `The collector rejected ${rejected} records`);
  }
}

/** The usual ways of saying with 200 that nothing was done. */
function checkVerdict(value: Members): void {
  const { error, errors, ok, success, status } = value;
  const isFailure =
    ok === false ||
    success === false ||
    Boolean(error) ||
    (Array.isArray(errors) ? errors.length > 0 : Boolean(errors)) ||
    (typeof status === 'number' && status >= 400) ||
    (typeof status === 'string' && /^(?:error|fail|failed|failure|rejected|unauthorized)$/iu.test(status));
  if (isFailure) {
    throw failure('not_confirmed', 'The collector reports a failure');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever it is, it confirms nothing.
    return undefined;
  }
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function failure(
  code: AuditErrorCode,
  message: string,
  options?: ConstructorParameters<typeof AuditError>[2],
): AuditError {
  return new AuditError(code, message, options);
}
