import { parseBigIntegers } from '../endpoint/big-integers.ts';
import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { check, wantsNothing } from '../endpoint/standard-schema.ts';
import type { Failure, ClientErrorCode } from '../errors/failure.ts';
import { parseProblem } from '../errors/problem.ts';
import { jsonText, parseJson } from '../http/json-text.ts';
import { parseRetryAfterMs } from '../http/retry-after.ts';
import type { WireResponse } from '../http/wire.ts';
import type { Clock } from '../time/clock.ts';

/** The data of a response, or why there is none. */
export type ReadResponse =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly failure: Failure };

/** Reads a response by its status and the endpoint's schema. A broken contract is no ill health: not for the breaker. */
export function readResponse(
  response: WireResponse,
  endpoint: Pick<AnyEndpoint, 'response' | 'bigIntegers'>,
  clock: Clock,
): ReadResponse {
  const { status, headers, body, unreadable } = response;
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
  if (wantsNothing(endpoint.response)) {
    return { ok: true, data: undefined };
  }
  if (unreadable !== undefined) {
    const { message: hint } = unreadable;
    return { ok: false, failure: { code: 'invalid_response', sent: 'yes', status, hint, cause: unreadable } };
  }
  let json: unknown;
  try {
    json = body.length === 0 ? undefined : parseBody(body, endpoint.bigIntegers);
  } catch (cause) {
    return { ok: false, failure: { code: 'invalid_response', sent: 'yes', status, cause } };
  }
  const parsed = check(endpoint.response, json);
  if (parsed.ok) {
    return { ok: true, data: parsed.value };
  }
  return { ok: false, failure: { code: 'invalid_response', sent: 'yes', status, cause: parsed.error } };
}

function parseBody(body: Buffer, bigIntegers: AnyEndpoint['bigIntegers']): unknown {
  return bigIntegers === undefined ? parseJson(body) : parseBigIntegers(jsonText(body), bigIntegers);
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
      if (status >= 500) {
        return 'server_error';
      }
      return status >= 400 ? 'rejected' : 'invalid_response';
  }
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
