import type { CallOptions } from '@mcp-parts/resilient-client';
import type { CallContext } from '@mcp-parts/tool-kit';

/** What a call to an upstream takes from the tool call that it is made for: its limits, and its place in the audit trail. */
export function upstreamCallOptions({ signal, deadlineAt, onUpstreamCall }: CallContext): CallOptions {
  return {
    signal,
    deadlineAt,
    onEnd: ({ client, endpoint, outcome, attempts, durationMs }) =>
      onUpstreamCall({
        upstream: client,
        endpoint,
        outcome,
        attempts,
        durationMs: Math.round(durationMs),
      }),
  };
}
