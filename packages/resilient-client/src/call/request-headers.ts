import { randomUUID } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';

import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import type { Replay } from '../protection/replay.ts';
import { isCredentialHeader } from './caller.ts';

/** A header that could not be sent; the message names it, never its value. */
export class BadHeader extends Error {
  override readonly name = 'BadHeader';
}

/** What a call brings to its headers. */
export interface HeaderInput {
  readonly idempotencyKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The headers that every call to an endpoint has. */
export function fixedHeaders(endpoint: Pick<AnyEndpoint, 'body'>): Readonly<Record<string, string>> {
  const headers = {
    accept: 'application/json, application/problem+json',
    // JSON between two machines of one network is not worth the time to compress it.
    'accept-encoding': 'identity',
  };
  return endpoint.body === undefined ? headers : { ...headers, 'content-type': 'application/json' };
}

/**
 * The headers of one call: its own, below those of its endpoint.
 * @throws {BadHeader} for one that must not stand in a request, such as credentials that anybody on the way could read
 */
export function requestHeaders(
  { headers: fixed, replay }: { readonly headers: Readonly<Record<string, string>>; readonly replay: Replay },
  input: HeaderInput,
  mayCarryCredentials: boolean,
): Readonly<Record<string, string>> {
  if (input.headers === undefined && replay !== 'key') {
    return fixed;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }
  for (const name of FRAMING_HEADERS) {
    delete headers[name];
  }
  const secret = mayCarryCredentials ? undefined : Object.keys(headers).find(isCredentialHeader);
  if (secret !== undefined) {
    throw new BadHeader(
      `the header "${secret}" would go over http in cleartext; allowCleartextCredentials allows it`,
    );
  }
  Object.assign(headers, fixed);
  if (replay === 'key') {
    headers['idempotency-key'] = input.idempotencyKey ?? randomUUID();
  }
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
