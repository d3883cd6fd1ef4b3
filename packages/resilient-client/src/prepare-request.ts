import { randomUUID } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';

import type { z } from 'zod';

import type { Failure } from './client-error.ts';
import { BadTarget, buildTarget } from './endpoint-url.ts';
import { replayOf, type AnyEndpoint } from './endpoint.ts';
import type { PreparedCall } from './run-call.ts';

/** A call's input, whatever its types. */
export interface UntypedInput {
  readonly params?: object | undefined;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** The request of a call, or why its input does not make one. */
export type PreparedRequest =
  | { readonly ok: true; readonly request: PreparedCall['request'] }
  | { readonly ok: false; readonly failure: Failure };

/** Checks the input and writes it out once, so that every attempt sends the same bytes and the same Idempotency-Key. */
export function prepareRequest(
  base: { origin: string; prefix: string },
  endpoint: AnyEndpoint,
  input: UntypedInput,
  context: { readonly idempotencyKey?: string; readonly headers?: Readonly<Record<string, string>> },
): PreparedRequest {
  const query = endpoint.query?.safeParse(input.query ?? {});
  if (query?.success === false) return invalid(describeIssue('query', query.error), query.error);
  const body = endpoint.body?.safeParse(input.body);
  if (body?.success === false) return invalid(describeIssue('body', body.error), body.error);
  try {
    const target = buildTarget(base, endpoint, { ...input.params }, query?.data ?? {});
    const headers = buildHeaders(endpoint, context);
    return {
      ok: true,
      request: {
        ...target,
        method: endpoint.method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body.data),
      },
    };
  } catch (error) {
    if (error instanceof BadTarget) return invalid(error.message, error);
    if (error instanceof BadHeader) return invalid(error.message, error);
    throw error;
  }
}

class BadHeader extends Error {
  override readonly name = 'BadHeader';
}

function buildHeaders(
  endpoint: AnyEndpoint,
  context: { readonly idempotencyKey?: string; readonly headers?: Readonly<Record<string, string>> },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.headers ?? {})) headers[name.toLowerCase()] = value;
  for (const name of FRAMING_HEADERS) delete headers[name];
  headers['accept'] = 'application/json, application/problem+json';
  if (endpoint.body !== undefined) headers['content-type'] = 'application/json';
  if (replayOf(endpoint) === 'key') headers['idempotency-key'] = context.idempotencyKey ?? randomUUID();
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

function describeIssue(part: string, error: z.ZodError): string {
  const issue = error.issues[0];
  const path = [part, ...(issue?.path ?? []).map(String)].join('.');
  return `${path}: ${issue?.message ?? 'not valid'}`;
}

function invalid(hint: string, cause: unknown): PreparedRequest {
  return { ok: false, failure: { code: 'invalid_request', sent: 'no', hint, cause } };
}
