import type { ServerResponse } from 'node:http';

import { securityHeaders } from './node-exchange.ts';

/** Answers with a short text; JSON, unless a header says otherwise. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...securityHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
