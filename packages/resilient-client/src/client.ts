import { callEndpoint, type CallOptions, type ClientCore, type Result } from './call/call.ts';
import { ignoreErrorsOf } from './call/events.ts';
import { createRoute, type Protection, type Route } from './call/route.ts';
import { ClientTelemetry } from './call/telemetry.ts';
import { resolveClientOptions, type ClientOptions } from './client-options.ts';
import type { AnyEndpoint, CallInput, Endpoint, QuerySchema } from './endpoint/define-endpoint.ts';
import type { SchemaOutput, StandardSchema } from './endpoint/standard-schema.ts';
import { createTransport } from './http/undici-transport.ts';
import { createBulkhead } from './protection/bulkhead.ts';
import { resolveCallPolicyOptions, type CallPolicy } from './protection/call-policy.ts';
import { createCallerCircuits } from './protection/caller-circuits.ts';
import type { CircuitHealth } from './protection/circuit-breaker.ts';
import { createRetryBudget } from './protection/retry-budget.ts';
import { createSingleFlight } from './protection/single-flight.ts';
import { createThrottle } from './protection/throttle.ts';

/** Calls the endpoints of one upstream. */
export interface Client extends AsyncDisposable {
  /**
   * Calls an endpoint. Never rejects for what a caller, a network or an upstream may do wrong.
   * @throws {TypeError} when two different endpoints share an id, or a token would go over http to another host
   */
  readonly call: <
    Path extends string,
    Query extends QuerySchema | undefined,
    Body extends StandardSchema | undefined,
    Response extends StandardSchema,
  >(
    endpoint: Endpoint<Path, Query, Body, Response>,
    input: CallInput<Path, Query, Body>,
    options: CallOptions,
  ) => Promise<Result<SchemaOutput<Response>>>;
  /** The circuit of every endpoint called so far, by endpoint id, and under `*` that of the whole upstream. */
  readonly health: () => Readonly<Record<string, CircuitHealth>>;
  /**
   * Keeps every call away from an endpoint, or from all of them, until {@link reset}: they fail as `circuit_open`. For an
   * upstream that is known to be down, or must be left alone.
   */
  readonly isolate: (endpoint?: AnyEndpoint) => void;
  /** Closes the circuit of an endpoint, or of all, and forgets failures and waits that were asked for. */
  readonly reset: (endpoint?: AnyEndpoint) => void;
  /** Cancels calls in flight and closes the connections. Later calls fail as `cancelled`. */
  readonly close: () => Promise<void>;
}

/**
 * Creates a client; keep one per upstream for the life of the process, because it holds the connections and circuits.
 * @throws {TypeError} for a name, base URL or header name that cannot work, or options that contradict each other
 * @throws {RangeError} for an option with a number out of range
 */
export function createClient(options: ClientOptions): Client {
  const resolved = resolveClientOptions(options);
  const { name, base, token, policy: clientPolicy, dispatcher, clock, random } = resolved;
  const transport = createTransport({
    dispatcher,
    keepAlive: true,
    connections: resolved.bulkhead.concurrency,
    connectTimeoutMs: resolved.connectTimeoutMs,
    connectionTtlMs: resolved.connectionTtlMs,
    addressRule: resolved.addressRule,
  });
  const bulkhead = createBulkhead(resolved.bulkhead);
  const telemetry = new ClientTelemetry({ name, origin: base.origin, meter: resolved.meter });
  const tell = ignoreErrorsOf(resolved.on);
  const active: ClientCore['active'] = new Set();
  const core: ClientCore = {
    name,
    token,
    mayCarryCredentials: resolved.mayCarryCredentials,
    parts: {
      transport,
      bulkhead,
      budget: createRetryBudget(resolved.retryBudget),
      activeCalls: () => active.size,
      deadlineHeader: resolved.deadlineHeader,
      clock,
      random,
    },
    emit(event) {
      telemetry.recordEvent(event);
      tell?.(event);
    },
    hasListener: tell !== undefined,
    routeOf,
    telemetry,
    singleFlight: createSingleFlight(),
    active,
    isClosed: false,
  };
  // Keyed by declared ids, never by URLs, so neither can grow with traffic.
  const routes = new Map<string, Route>();
  const protections = new Map<string, Protection>();
  // Also for endpoints that are yet to be called.
  let isIsolated = false;

  function routeOf(endpoint: AnyEndpoint): Route {
    const known = routes.get(endpoint.id);
    if (known?.endpoint === endpoint) {
      return known;
    }
    if (known !== undefined) {
      throw new TypeError(`two different endpoints share the id ${endpoint.id}`);
    }
    const policy = resolveCallPolicyOptions(endpoint.policy, clientPolicy);
    const protection =
      endpoint.breaker === 'upstream'
        ? protectionOf(WHOLE_UPSTREAM, clientPolicy)
        : protectionOf(endpoint.id, policy);
    const route = createRoute(base, endpoint, policy, protection);
    routes.set(endpoint.id, route);
    return route;
  }

  function protectionOf(id: string, policy: CallPolicy): Protection {
    const known = protections.get(id);
    if (known !== undefined) {
      return known;
    }
    const circuit = createCallerCircuits({
      policy: policy.breaker,
      clock,
      random,
      onChange: (from, to) => core.emit({ client: name, endpoint: id, type: 'circuit', from, to }),
    });
    if (isIsolated) {
      circuit.isolate();
    }
    const protection = { circuit, throttle: createThrottle() };
    protections.set(id, protection);
    return protection;
  }

  function protectionsOf(endpoint: AnyEndpoint | undefined): Iterable<Protection> {
    return endpoint === undefined ? protections.values() : [routeOf(endpoint).protection];
  }

  telemetry.observe({
    *circuits() {
      const now = clock.monotonicNow();
      for (const [endpoint, { circuit, throttle }] of protections) {
        const { state, callersHeldBack = 0 } = circuit.health();
        yield { endpoint, state, heldBack: throttle.heldBack(now) + callersHeldBack };
      }
    },
    bulkhead: () => ({
      active: resolved.bulkhead.concurrency - bulkhead.free(),
      waiting: bulkhead.waiting(),
      limit: resolved.bulkhead.concurrency,
    }),
    connections: () => transport.connections(),
  });

  async function close(): Promise<void> {
    core.isClosed = true;
    for (const limit of core.active) {
      limit.stop('cancelled');
    }
    for (const { circuit } of protections.values()) {
      circuit.close();
    }
    telemetry.close();
    await transport.close();
  }

  return {
    call: (endpoint, input, options) => callEndpoint(core, endpoint, input, options),
    health: () => Object.fromEntries([...protections].map(([id, { circuit }]) => [id, circuit.health()])),
    isolate(endpoint) {
      isIsolated ||= endpoint === undefined;
      for (const { circuit } of protectionsOf(endpoint)) {
        circuit.isolate();
      }
    },
    reset(endpoint) {
      isIsolated &&= endpoint !== undefined;
      for (const { circuit, throttle } of protectionsOf(endpoint)) {
        circuit.reset();
        throttle.reset();
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

// No endpoint can have this id.
const WHOLE_UPSTREAM = '*';
