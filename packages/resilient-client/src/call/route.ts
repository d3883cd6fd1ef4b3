import { replayOf, type AnyEndpoint, type Replay } from '../endpoint/define-endpoint.ts';
import { compileTarget, type BuildTarget } from '../endpoint/url-template.ts';
import type { CircuitBreaker } from '../protection/circuit-breaker.ts';
import { createLatencies, type Latencies } from '../protection/latencies.ts';
import type { Policy } from '../protection/policy.ts';
import type { NotBeforeGate } from '../protection/throttle.ts';
import { fixedHeaders } from './prepare-request.ts';

/** What keeps calls away from a backend: one for an endpoint, or one for all endpoints of a service. */
export interface Guard {
  readonly breaker: CircuitBreaker;
  readonly notBefore: NotBeforeGate;
}

/** An endpoint as a client knows it: everything that is the same for each call. */
export interface Route {
  readonly endpoint: AnyEndpoint;
  readonly policy: Policy;
  readonly replay: Replay;
  readonly guard: Guard;
  readonly target: BuildTarget;
  readonly headers: Readonly<Record<string, string>>;
  /** Only where a percentile of them decides when to hedge. */
  readonly latencies: Latencies | undefined;
}

/** Works out an endpoint once. */
export function createRoute(
  base: { origin: string; prefix: string },
  endpoint: AnyEndpoint,
  policy: Policy,
  guard: Guard,
): Route {
  const isPercentile = policy.hedge !== false && 'afterPercentile' in policy.hedge;
  return {
    endpoint,
    policy,
    guard,
    replay: replayOf(endpoint),
    target: compileTarget(base, endpoint.path),
    headers: fixedHeaders(endpoint),
    latencies: isPercentile && endpoint.method === 'GET' ? createLatencies() : undefined,
  };
}
