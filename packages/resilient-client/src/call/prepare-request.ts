import { stringifyJson } from '../endpoint/big-integers.ts';
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
export function prepareRequest(
  route: Route,
  input: UntypedInput,
  context: HeaderInput,
  mayCarryCredentials: boolean,
): PreparedRequest {
  const { endpoint } = route;
  const query = endpoint.query && check(endpoint.query, input.query ?? {});
  if (query?.ok === false) {
    return invalid(issueIn('query', query.error), query.error);
  }
  const body = endpoint.body && check(endpoint.body, input.body);
  if (body?.ok === false) {
    return invalid(issueIn('body', body.error), body.error);
  }
  let text: string | undefined;
  try {
    text = body && stringifyJson(body.value);
  } catch (cause) {
    return invalid('body: not JSON', cause);
  }
  try {
    // Whatever the object, only its own properties with the names of the template are read.
    const params = (input.params ?? {}) as Readonly<Record<string, unknown>>;
    const { origin, path } = route.target(params, query?.value);
    if (!mayCarryCredentials && query !== undefined) {
      refuseCredentials(query.value);
    }
    return {
      ok: true,
      request: {
        origin,
        path,
        method: endpoint.method,
        headers: requestHeaders(route, context, mayCarryCredentials),
        body: text,
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

/** RFC 6750 §5.3: what is read on the way can be used by whoever read it. */
function refuseCredentials(query: Readonly<Record<string, unknown>>): void {
  const name = Object.keys(query).find((key) => query[key] !== undefined && CREDENTIAL_PARAMETER.test(key));
  if (name !== undefined) {
    throw new BadTarget(`"${name}" would go over http in cleartext; allowCleartextCredentials allows it`);
  }
}

/** Not every token: one that turns a page opens nothing. */
const CREDENTIAL_PARAMETER =
  /^(?:(?:access|auth|id|refresh|session|security)[-_]?token|(?:x[-_])?(?:api|access|subscription)[-_]?key|client[-_]?secret|password|passwd|secret|jwt|sig|x-amz-(?:signature|security-token|credential))$/i;
