import type { IncomingMessage } from 'node:http';

/** Names in lower case, as Node gives them. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What is known of a request before its body is read. */
export interface RequestFacts {
  readonly method: string;
  /** The path with its query, as the client sent it. */
  readonly url: string;
  readonly headers: HttpHeaders;
  /** Without port; of the client, where a trusted proxy named it. `undefined` when the platform does not say. */
  readonly sourceAddress: string | undefined;
  /** Ties log lines, audit events and the reference id of an answer together. */
  readonly correlationId: string;
  /** Aborts when the client goes away before its answer. */
  readonly signal: AbortSignal;
  /** Milliseconds since the request arrived. */
  readonly elapsedMs: () => number;
  /** Node's own request, on Node; for the TLS certificate of its client. */
  readonly node?: IncomingMessage | undefined;
}

/** One HTTP request and its answer, whatever carries them. */
export interface Exchange extends RequestFacts {
  /** The body as text, or what a framework in front of this one has parsed. */
  readonly readBody: (maxBytes: number) => Promise<Body>;
  /** Adds a header to the answer, whichever it will be. */
  readonly setHeader: (name: string, value: string) => void;
  /** Answers once; a second answer is dropped. */
  readonly answer: (status: number, headers: Readonly<Record<string, string>>, body?: string) => void;
  /** Answers with a body that is written bit by bit. */
  readonly openStream: (headers: Readonly<Record<string, string>>) => AnswerStream;
  /** Calls back once when the answer was sent whole or the client is gone. */
  readonly onClose: (listener: () => void) => void;
}

/** What a request carried. */
export type Body =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'not_text' }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'gone' };

/** The rest of an answer. */
export interface AnswerStream {
  /** `false` when more waits to be read than a stream may hold; the connection is closed then. */
  readonly write: (text: string) => boolean;
  readonly end: () => void;
  readonly isOpen: () => boolean;
}

/** A header that may be given once, as text. Node joins repeated ones with a comma, which nothing here survives. */
export function headerOf({ headers }: Pick<RequestFacts, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value.join(', ') : value;
}
