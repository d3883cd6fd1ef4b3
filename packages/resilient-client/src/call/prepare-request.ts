import { check, describeIssue, type SchemaMismatch } from '../endpoint/standard-schema.ts';
import { BadTarget } from '../endpoint/url-template.ts';
import type { Failure } from '../errors/failure.ts';
import type { WireRequest } from '../http/wire.ts';
import { BadHeader, requestHeaders, type HeaderInput } from './request-headers.ts';
import type { Route } from './route.ts';

/** A call's input, whatever its types. */
export interface UntypedInput {
  readonly params?: object | undefined;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** What every attempt of a call sends. */
export type CallRequest = Omit<WireRequest, 'signal' | 'maxResponseBytes'>;

/** The request of a call, or why its input does not make one. */
export type PreparedRequest =
  | { readonly ok: true; readonly request: CallRequest }
  | { readonly ok: false; readonly failure: Failure };

/** Checks the input and writes it out once, so that every attempt sends the same bytes and the same Idempotency-Key. */
export function prepareRequest(route: Route, input: UntypedInput, context: HeaderInput): PreparedRequest {
  const { endpoint } = route;
  const query = endpoint.query && check(endpoint.query, input.query ?? {});
  if (query?.ok === false) {
    return invalid(issueIn('query', query.error), query.error);
  }
  const body = endpoint.body && check(endpoint.body, input.body);
  if (body?.ok === false) {
    return invalid(issueIn('body', body.error), body.error);
  }
  try {
    // Whatever the object, only its own properties with the names of the template are read.
    const params = (input.params ?? {}) as Readonly<Record<string, unknown>>;
    const { origin, path } = route.target(params, query?.value);
    return {
      ok: true,
      request: {
        origin,
        path,
        method: endpoint.method,
        headers: requestHeaders(route, context),
        body: body && JSON.stringify(body.value),
      },
    };
  } catch (error) {
    if (error instanceof BadTarget || error instanceof BadHeader) {
      return invalid(error.message, error);
    }
    throw error;
  }
}

function issueIn(part: string, { issues: [issue] }: SchemaMismatch): string {
  return issue === undefined ? `${part}: not valid` : describeIssue(part, issue);
}

function invalid(hint: string, cause: unknown): PreparedRequest {
  return { ok: false, failure: { code: 'invalid_request', sent: 'no', hint, cause } };
}
