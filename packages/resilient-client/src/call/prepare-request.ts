import { randomUUID } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';

import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { check, describeIssue, type SchemaMismatch } from '../endpoint/standard-schema.ts';
import { BadTarget } from '../endpoint/url-template.ts';
import type { Failure } from '../errors/client-error.ts';
import type { WireRequest } from '../http/undici-transport.ts';
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

interface HeaderInput {
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Checks the input and writes it out once, so that every attempt sends the same bytes and the same Idempotency-Key. */
export function prepareRequest(route: Route, input: UntypedInput, context: HeaderInput): PreparedRequest {
  const { endpoint } = route;
  const query = endpoint.query && check(endpoint.query, input.query ?? {});
  if (query?.ok === false) return invalid(issueIn('query', query.error), query.error);
  const body = endpoint.body && check(endpoint.body, input.body);
  if (body?.ok === false) return invalid(issueIn('body', body.error), body.error);
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
        headers: headersFor(route, context),
        body: body && JSON.stringify(body.value),
      },
    };
  } catch (error) {
    if (error instanceof BadTarget || error instanceof BadHeader) return invalid(error.message, error);
    throw error;
  }
}

class BadHeader extends Error {
  override readonly name = 'BadHeader';
}

/** The headers that every call to an endpoint has. */
export function fixedHeaders(endpoint: Pick<AnyEndpoint, 'body'>): Readonly<Record<string, string>> {
  return {
    accept: 'application/json, application/problem+json',
    // JSON between two machines of one network is not worth the time to compress it.
    'accept-encoding': 'identity',
    ...(endpoint.body !== undefined && { 'content-type': 'application/json' }),
  };
}

function headersFor(
  { headers: fixed, replay }: Route,
  context: HeaderInput,
): Readonly<Record<string, string>> {
  if (context.headers === undefined && replay !== 'key') return fixed;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.headers ?? {})) headers[name.toLowerCase()] = value;
  for (const name of FRAMING_HEADERS) delete headers[name];
  Object.assign(headers, fixed);
  if (replay === 'key') headers['idempotency-key'] = context.idempotencyKey ?? randomUUID();
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new BadHeader(`the header "${name}" is not valid`, { cause });
    }
  }
  return headers;
}

// They say where a request goes and where it ends, which is not the caller's to decide.
const FRAMING_HEADERS = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-type',
];

function issueIn(part: string, { issues: [issue] }: SchemaMismatch): string {
  return issue === undefined ? `${part}: not valid` : describeIssue(part, issue);
}

function invalid(hint: string, cause: unknown): PreparedRequest {
  return { ok: false, failure: { code: 'invalid_request', sent: 'no', hint, cause } };
}
