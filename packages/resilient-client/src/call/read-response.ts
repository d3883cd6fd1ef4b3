import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { check } from '../endpoint/standard-schema.ts';
import type { Failure, ClientErrorCode } from '../errors/client-error.ts';
import { parseProblem } from '../errors/problem.ts';
import type { WireHeaders } from '../http/undici-transport.ts';
import { parseRetryAfterMs } from '../protection/replay.ts';
import type { Clock } from '../time/clock.ts';

/** A complete answer of a backend. */
export interface Answer {
  readonly status: number;
  readonly headers: WireHeaders;
  readonly body: Buffer;
}

/** The data of an answer, or why there is none. */
export type ReadAnswer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly failure: Failure };

/** Reads an answer by its status and the endpoint's schema. A broken contract is no ill health: not for the breaker. */
export function readAnswer(
  answer: Answer,
  endpoint: Pick<AnyEndpoint, 'response'>,
  clock: Clock,
): ReadAnswer {
  const { status, headers, body } = answer;
  if (status < 200 || status > 299) {
    return {
      ok: false,
      failure: {
        code: codeOf(status),
        sent: 'yes',
        status,
        retryAfterMs: parseRetryAfterMs(firstOf(headers['retry-after']), clock.now()),
        problem: parseProblem(firstOf(headers['content-type']) ?? '', body),
      },
    };
  }
  let json: unknown;
  try {
    json = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
  } catch (cause) {
    return { ok: false, failure: { code: 'invalid_response', sent: 'yes', status, cause } };
  }
  const parsed = check(endpoint.response, json);
  if (parsed.ok) return { ok: true, data: parsed.value };
  return { ok: false, failure: { code: 'invalid_response', sent: 'yes', status, cause: parsed.error } };
}

function codeOf(status: number): ClientErrorCode {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'not_found';
    case 409:
    case 412:
      return 'conflict';
    case 429:
      return 'throttled';
    default:
      if (status >= 500) return 'server_error';
      return status >= 400 ? 'rejected' : 'invalid_response';
  }
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
