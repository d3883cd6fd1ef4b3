import type { Caller } from '@mcp-parts/tool-kit';

import type { RequestFacts } from '../wire/exchange.ts';
import type { RequestMessage } from '../wire/message.ts';

/** Who is calling. */
export interface KnownCaller extends Caller {
  /** When what proved it ends, in milliseconds since the Unix epoch: streams that wait for events end then. */
  readonly expiresAt?: number | undefined;
}

/** An answer in place of the one that was asked for. */
export interface Refusal {
  readonly refused: {
    /** The HTTP status, such as 401. */
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>> | undefined;
    /** The body, as JSON; public. */
    readonly body?: object | undefined;
  };
}

/**
 * Finds out who sent a request, or refuses it. Called once for each request, before its body is read. What it throws
 * is logged, and the client is told 500 and a reference id.
 */
export type Authenticate = (facts: RequestFacts) => Promise<KnownCaller | Refusal> | KnownCaller | Refusal;

/**
 * Looks at a request of a known caller before it runs, for what a better credential would cure; `undefined` lets it
 * pass. The call itself is authorized in any case.
 */
export type CheckRequests = (
  messages: readonly RequestMessage[],
  caller: KnownCaller,
  facts: RequestFacts,
) => Promise<Refusal | undefined>;

/** A document that anybody may read, such as the protected resource metadata (RFC 9728). */
export interface PublicDocument {
  readonly paths: readonly string[];
  readonly body: object;
}

/** What stands in front of an endpoint. */
export interface Gate {
  readonly authenticate: Authenticate;
  /** @default no request is stopped before it runs */
  readonly checkRequests?: CheckRequests | undefined;
  /** @default nothing is public */
  readonly documents?: readonly PublicDocument[] | undefined;
}

/** Whether a request was refused. */
export function isRefusal(answer: KnownCaller | Refusal): answer is Refusal {
  return 'refused' in answer;
}
