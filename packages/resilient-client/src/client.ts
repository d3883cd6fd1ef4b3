import { callEndpoint, type CallContext, type ClientCore, type Result } from './call/call.ts';
import { harmless, type ClientEvent } from './call/events.ts';
import { createRoute, type Guard, type Route } from './call/route.ts';
import { Telemetry } from './call/telemetry.ts';
import type { AnyEndpoint, CallInput, Endpoint, QuerySchema } from './endpoint/define-endpoint.ts';
import type { SchemaOutput, StandardSchema } from './endpoint/standard-schema.ts';
import { parseBaseUrl } from './endpoint/url-template.ts';
import { checkLiteralHost, createAddressRule } from './http/address-rule.ts';
import { createTransport, type Dispatcher } from './http/undici-transport.ts';
import { createBulkhead, type BulkheadOptions } from './protection/bulkhead.ts';
import { checkWhole, LONGEST_TIMER_MS } from './protection/check-number.ts';
import { createCircuitBreaker, type CircuitHealth } from './protection/circuit-breaker.ts';
import { resolvePolicy, type Policy, type PolicyOptions } from './protection/policy.ts';
import { createRetryBudget, type RetryBudgetOptions } from './protection/retry-budget.ts';
import { createSingleFlight } from './protection/single-flight.ts';
import { createNotBeforeGate } from './protection/throttle.ts';
import { systemClock, type Clock } from './time/clock.ts';
import type { TokenSource } from './tokens/source.ts';

/** What a client is made of. */
export interface ClientOptions {
  /** What people and models call the service, without an article: `deployment service`. Also labels events. */
  readonly name: string;
  /** Where every endpoint's path begins, as http(s), with or without a path of its own. No call can leave it. */
  readonly baseUrl: string;
  /** Where bearer tokens come from. @default no Authorization header */
  readonly token?: TokenSource;
  /** @default {@link Policy} says it for each member */
  readonly policy?: PolicyOptions;
  /** Time for a connection, TLS included, in whole milliseconds; undici rounds it up to a second. @default 3_000 */
  readonly connectTimeoutMs?: number;
  /** How many requests may be on the wire, and how many may wait. @default 32 and 256 */
  readonly bulkhead?: BulkheadOptions;
  /** How much retries may add to the load. @default 20 % of the calls of the last 10 s, and at least 3 */
  readonly retryBudget?: RetryBudgetOptions;
  /**
   * Name of a header that tells the backend how long the caller will still wait, in whole milliseconds.
   * @default none is sent
   */
  readonly deadlineHeader?: string;
  /**
   * Refuses to connect to loopback, private and reserved addresses, for a base URL that is not your own choice. Not
   * together with `dispatcher`, which resolves names by itself. @default false
   */
  readonly refusePrivateAddresses?: boolean;
  /** Is told what happens, for logs and metrics. It cannot break a call. */
  readonly on?: (event: ClientEvent) => void;
  /** @default the system's clock and timers */
  readonly clock?: Clock;
  /** From 0 to below 1, for jitter. @default Math.random */
  readonly random?: () => number;
  /** An undici dispatcher of your own, for mTLS, a proxy or a mock; you close it. @default connections of its own, one for each place in the bulkhead */
  readonly dispatcher?: Dispatcher;
}

/** Calls the endpoints of one service. */
export interface Client extends AsyncDisposable {
  /**
   * Calls an endpoint. Never rejects for what a caller, a network or a backend may do wrong.
   * @throws {TypeError} when two different endpoints share an id
   */
  call<
    Path extends string,
    Query extends QuerySchema | undefined,
    Body extends StandardSchema | undefined,
    Response extends StandardSchema,
  >(
    endpoint: Endpoint<Path, Query, Body, Response>,
    input: CallInput<Path, Query, Body>,
    context: CallContext,
  ): Promise<Result<SchemaOutput<Response>>>;
  /** The circuit of every endpoint called so far, by endpoint id, and under `*` that of the whole service. */
  health(): Readonly<Record<string, CircuitHealth>>;
  /** Cancels calls in flight and closes the connections. Later calls fail as `cancelled`. */
  close(): Promise<void>;
}

/**
 * Creates a client; keep one per service for the life of the process, because it holds the connections and circuits.
 * @throws {TypeError} for a name, base URL or header name that cannot work, or options that contradict each other
 * @throws {RangeError} for an option with a number out of range
 */
export function createClient(options: ClientOptions): Client {
  const { name, token, clock = systemClock, random = Math.random, bulkhead = {} } = options;
  const { concurrency = 32, queue = 256 } = bulkhead;
  if (name.trim() === '') throw new TypeError('name must say what people call the service');
  const base = parseBaseUrl(options.baseUrl);
  const clientPolicy = resolvePolicy(options.policy);
  const { dispatcher, connectTimeoutMs = 3_000 } = options;
  checkWhole('connectTimeoutMs', connectTimeoutMs, 1, LONGEST_TIMER_MS);
  const addressRule = options.refusePrivateAddresses === true ? createAddressRule() : undefined;
  if (addressRule !== undefined) {
    if (dispatcher !== undefined)
      throw new TypeError('refusePrivateAddresses cannot rule a given dispatcher');
    checkLiteralHost(base.origin, addressRule);
  }
  const transport = createTransport({
    dispatcher,
    keepAlive: true,
    connections: concurrency,
    connectTimeoutMs,
    addressRule,
  });
  const core: ClientCore = {
    name,
    token,
    parts: {
      transport,
      bulkhead: createBulkhead(concurrency, queue),
      budget: createRetryBudget(options.retryBudget),
      deadlineHeader: parseHeaderName(options.deadlineHeader),
      clock,
      random,
    },
    emit: harmless(options.on),
    routeOf,
    telemetry: new Telemetry(base.origin),
    flights: createSingleFlight(),
    active: new Set(),
    isClosed: false,
  };
  // Keyed by declared ids, never by URLs, so neither can grow with traffic.
  const routes = new Map<string, Route>();
  const guards = new Map<string, Guard>();

  function routeOf(endpoint: AnyEndpoint): Route {
    const known = routes.get(endpoint.id);
    if (known?.endpoint === endpoint) return known;
    if (known !== undefined) throw new TypeError(`two different endpoints share the id ${endpoint.id}`);
    const policy = resolvePolicy(endpoint.policy, clientPolicy);
    const guard =
      endpoint.breaker === 'service' ? guardOf(WHOLE_SERVICE, clientPolicy) : guardOf(endpoint.id, policy);
    const route = createRoute(base, endpoint, policy, guard);
    routes.set(endpoint.id, route);
    return route;
  }

  function guardOf(id: string, policy: Policy): Guard {
    const known = guards.get(id);
    if (known !== undefined) return known;
    const breaker = createCircuitBreaker({
      policy: policy.breaker,
      clock,
      random,
      onChange: (from, to) => core.emit?.({ client: name, endpoint: id, type: 'circuit', from, to }),
    });
    const guard = { breaker, notBefore: createNotBeforeGate() };
    guards.set(id, guard);
    return guard;
  }

  async function close(): Promise<void> {
    core.isClosed = true;
    for (const limit of core.active) limit.stop('cancelled');
    for (const { breaker } of guards.values()) breaker.close();
    await transport.close();
  }

  return {
    call: (endpoint, input, context) => callEndpoint(core, endpoint, input, context),
    health: () => Object.fromEntries([...guards].map(([id, { breaker }]) => [id, breaker.health()])),
    close,
    [Symbol.asyncDispose]: close,
  };
}

// No endpoint can have this id.
const WHOLE_SERVICE = '*';

function parseHeaderName(name: string | undefined): string | undefined {
  if (name !== undefined && !/^[a-z][a-z0-9-]*$/i.test(name)) {
    throw new TypeError(`deadlineHeader must be the name of a header, not ${JSON.stringify(name)}`);
  }
  return name?.toLowerCase();
}
