import type { Meter } from '@opentelemetry/api';

import { ClientError } from '../errors/client-error.ts';

/** Is told of each token that was asked for; `error` is undefined when it came. */
export type OnTokenFetched = (durationMs: number, error: unknown) => void;

/**
 * Measures how long tokens take to get, and how that ends.
 * @param grant `client_credentials` or `token_exchange`
 */
export function measureTokens(meter: Meter | undefined, grant: string): OnTokenFetched {
  if (meter === undefined) {
    return () => {};
  }
  const duration = meter.createHistogram('mcp_parts.client.token.duration', {
    description: 'Duration of requests for access tokens.',
    unit: 's',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  return (durationMs, error) => {
    const labels = { 'mcp_parts.grant': grant };
    duration.record(
      durationMs / 1000,
      error === undefined
        ? labels
        : { ...labels, 'error.type': error instanceof ClientError ? error.code : '_OTHER' },
    );
  };
}

/** In seconds, as the HTTP conventions advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
