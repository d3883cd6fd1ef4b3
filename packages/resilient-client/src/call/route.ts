import { replayOf, type AnyEndpoint } from '../endpoint/define-endpoint.ts';
import { compileTarget, type BuildTarget } from '../endpoint/url-template.ts';
import type { CallPolicy } from '../protection/call-policy.ts';
import type { CallerCircuits } from '../protection/caller-circuits.ts';
import { createLatencies, type Latencies } from '../protection/latencies.ts';
import type { Replay } from '../protection/replay.ts';
import type { Throttle } from '../protection/throttle.ts';
import { fixedHeaders } from './request-headers.ts';

/** What keeps calls away from an upstream: one for an endpoint, or one for all of the upstream's endpoints. */
export interface Protection {
  readonly circuit: CallerCircuits;
  readonly throttle: Throttle;
}

/** An endpoint as a client knows it: everything that is the same for each call. */
export interface Route {
  readonly endpoint: AnyEndpoint;
  readonly policy: CallPolicy;
  readonly replay: Replay;
  readonly protection: Protection;
  readonly target: BuildTarget;
  readonly headers: Readonly<Record<string, string>>;
  /** Only where a percentile of them decides when to hedge. */
  readonly latencies: Latencies | undefined;
}

/** Works out an endpoint once. */
export function createRoute(
  base: { origin: string; prefix: string },
  endpoint: AnyEndpoint,
  policy: CallPolicy,
  protection: Protection,
): Route {
  const isPercentile = policy.hedge !== false && 'afterPercentile' in policy.hedge;
  return {
    endpoint,
    policy,
    protection,
    replay: replayOf(endpoint),
    target: compileTarget(base, endpoint.path),
    headers: fixedHeaders(endpoint),
    latencies: isPercentile && endpoint.method === 'GET' ? createLatencies() : undefined,
  };
}
