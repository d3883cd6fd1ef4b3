import type { CallOptions } from './call/call.ts';
import type { Client } from './client.ts';
import type { CallInput, Endpoint, QuerySchema } from './endpoint/define-endpoint.ts';
import type { SchemaOutput, StandardSchema } from './endpoint/standard-schema.ts';

/** A piece of work that calls upstreams. The context of a tool call of `@mcp-parts/tool-kit` is one. */
export interface Work {
  readonly signal: AbortSignal;
  /** When it gives up, in milliseconds since the Unix epoch. @default the policy of each call says so */
  readonly deadlineAt?: number | undefined;
  /** Is told how each call ended, for its record; `durationMs` is in whole milliseconds. @default nobody is */
  readonly onUpstreamCall?:
    | ((call: {
        readonly upstream: string;
        readonly endpoint: string;
        readonly outcome: string;
        readonly attempts: number;
        readonly durationMs: number;
      }) => void)
    | undefined;
}

/** What a call takes from the work that it is made for: its limits, and its place in the record. */
export function callOptionsFor({ signal, deadlineAt, onUpstreamCall }: Work): CallOptions {
  return {
    signal,
    deadlineAt,
    onEnd:
      onUpstreamCall &&
      (({ client, endpoint, outcome, attempts, durationMs }) =>
        onUpstreamCall({
          upstream: client,
          endpoint,
          outcome,
          attempts,
          durationMs: Math.round(durationMs),
        })),
  };
}

/**
 * Calls an endpoint for a piece of work, within its limits and in its record, and returns the data.
 *
 * @throws {ClientError} when there is none; a handler lets it pass, and its `publicMessage` is what a model reads.
 */
export async function callFor<
  Path extends string,
  Query extends QuerySchema | undefined,
  Body extends StandardSchema | undefined,
  Response extends StandardSchema,
>(
  work: Work,
  client: Client,
  endpoint: Endpoint<Path, Query, Body, Response>,
  input: CallInput<Path, Query, Body>,
  options?: Omit<CallOptions, keyof Work | 'onEnd'>,
): Promise<SchemaOutput<Response>> {
  const result = await client.call(endpoint, input, { ...callOptionsFor(work), ...options });
  if (!result.ok) {
    throw result.error;
  }
  return result.data;
}
