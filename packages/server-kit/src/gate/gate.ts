import type { Caller, Denial } from '@mcp-parts/tool-kit';

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

/** A request that the policy will not let run. */
export interface DeniedRequest {
  readonly message: RequestMessage;
  readonly denial: Denial;
}

/** A {@link Refusal} of requests that could have run with a better credential. */
export interface Challenge extends Refusal {
  /** A code for the trail, such as `insufficient_scope`. */
  readonly reason: string;
}

/**
 * Turns denials into a refusal that tells the client which credential would cure them; `undefined` lets the requests
 * run into their denials, which they explain themselves.
 */
export type ChallengeDenied = (
  denied: readonly DeniedRequest[],
  facts: RequestFacts,
) => Challenge | undefined;

/** A document that anybody may read, such as the protected resource metadata (RFC 9728). */
export interface PublicDocument {
  readonly paths: readonly string[];
  readonly body: object;
}

/** What stands in front of an endpoint. */
export interface Gate {
  readonly authenticate: Authenticate;
  /** Asked before a request runs that the policy denies. @default every request explains its own denial */
  readonly challengeDenied?: ChallengeDenied | undefined;
  /** @default nothing is public */
  readonly documents?: readonly PublicDocument[] | undefined;
}

/** Whether a request was refused. */
export function isRefusal(answer: KnownCaller | Refusal): answer is Refusal {
  return 'refused' in answer;
}
