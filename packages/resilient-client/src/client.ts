import type { z } from 'zod';

import { createCircuitBreaker, type CircuitBreaker, type CircuitHealth } from './circuit-breaker.ts';
import { ClientError, type Failure } from './client-error.ts';
import { systemClock, type Clock } from './clock.ts';
import { parseBaseUrl } from './endpoint-url.ts';
import { replayOf, type AnyEndpoint, type CallInput, type Endpoint, type QuerySchema } from './endpoint.ts';
import { harmless, type ClientEvent } from './events.ts';
import { resolvePolicy, type Policy, type PolicyOptions } from './policy.ts';
import { prepareRequest, type UntypedInput } from './prepare-request.ts';
import { runCall } from './run-call.ts';
import { limitTime, type TimeLimit } from './time-limit.ts';
import type { TokenSource } from './token-source.ts';
import { createTransport, type Dispatcher } from './transport.ts';

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
  /** Is told what happens, for logs and metrics. It cannot break a call. */
  readonly on?: (event: ClientEvent) => void;
  /** @default the system's clock and timers */
  readonly clock?: Clock;
  /** From 0 to below 1, for jitter. @default Math.random */
  readonly random?: () => number;
  /** An undici dispatcher of your own, for mTLS, a proxy or a mock; you close it. @default 32 connections per origin */
  readonly dispatcher?: Dispatcher;
}

/** What belongs to one call and not to its input. */
export interface CallContext {
  /** Aborting it ends the call, its waits and its socket. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting, in milliseconds since the Unix epoch; the earlier of this and the policy counts. */
  readonly deadlineAt?: number;
  /** For endpoints with `replay: 'key'`: names one intended effect, across calls and restarts. @default a new UUID */
  readonly idempotencyKey?: string;
  /** More request headers. They cannot replace those that the client sets itself. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The token for this call alone, such as one on behalf of its caller. @default the client's own source */
  readonly token?: TokenSource;
}

/** Data of the declared shape, or the error. `attempts` counts requests on the wire. */
export type Result<T> =
  | { readonly ok: true; readonly data: T; readonly status: number; readonly attempts: number }
  | { readonly ok: false; readonly error: ClientError };

/** Calls the endpoints of one service. */
export interface Client extends AsyncDisposable {
  /**
   * Calls an endpoint. Never rejects for what a caller, a network or a backend may do wrong.
   * @throws {TypeError} when two different endpoints share an id
   */
  call<
    Path extends string,
    Query extends QuerySchema | undefined,
    Body extends z.ZodType | undefined,
    Response extends z.ZodType,
  >(
    endpoint: Endpoint<Path, Query, Body, Response>,
    input: CallInput<Path, Query, Body>,
    context: CallContext,
  ): Promise<Result<z.output<Response>>>;
  /** The circuit of every endpoint called so far, by endpoint id. */
  health(): Readonly<Record<string, CircuitHealth>>;
  /** Cancels calls in flight and closes the connections. Later calls fail as `cancelled`. */
  close(): Promise<void>;
}

/**
 * Creates a client; keep one per service for the life of the process, because it holds the connections and circuits.
 * @throws {TypeError} for a name or base URL that cannot work
 * @throws {RangeError} for a policy with a number out of range
 */
export function createClient(options: ClientOptions): Client {
  const { name, token, clock = systemClock, random = Math.random } = options;
  if (name.trim() === '') throw new TypeError('name must say what people call the service');
  const base = parseBaseUrl(options.baseUrl);
  const clientPolicy = resolvePolicy(options.policy);
  const emit = harmless(options.on);
  const transport = createTransport({ dispatcher: options.dispatcher, keepAlive: true });
  const routes = new Map<string, Route>();
  const active = new Set<TimeLimit>();
  let isClosed = false;

  /** The breaker and policy of an endpoint. Keyed by declared ids, never by URLs, so it cannot grow with traffic. */
  function routeOf(endpoint: AnyEndpoint): Route {
    const known = routes.get(endpoint.id);
    if (known?.endpoint === endpoint) return known;
    if (known !== undefined) throw new TypeError(`two different endpoints share the id ${endpoint.id}`);
    const policy = resolvePolicy(endpoint.policy, clientPolicy);
    const breaker = createCircuitBreaker({
      policy: policy.breaker,
      clock,
      random,
      onChange: (from, to) => emit({ client: name, endpoint: endpoint.id, type: 'circuit', from, to }),
    });
    const route = { endpoint, policy, breaker };
    routes.set(endpoint.id, route);
    return route;
  }

  async function run(
    endpoint: AnyEndpoint,
    input: UntypedInput,
    context: CallContext,
  ): Promise<Result<unknown>> {
    const { policy, breaker } = routeOf(endpoint);
    const startedAt = clock.monotonicNow();
    const end = (outcome: 'ok' | Failure['code'], attempts: number) =>
      emit({
        client: name,
        endpoint: endpoint.id,
        type: 'call',
        durationMs: clock.monotonicNow() - startedAt,
        attempts,
        outcome,
      });
    const fail = (failure: Failure, attempts: number): Result<never> => {
      end(failure.code, attempts);
      const isRepeatable = isHarmlessTwice(endpoint, context);
      const { id, explain } = endpoint;
      return {
        ok: false,
        error: new ClientError(failure, { service: name, endpoint: id, attempts, isRepeatable, explain }),
      };
    };

    const prepared = prepareRequest(base, endpoint, input, context);
    if (!prepared.ok) return fail(prepared.failure, 0);

    const inheritedMs = context.deadlineAt === undefined ? Infinity : context.deadlineAt - clock.now();
    const deadlineIsInherited = inheritedMs < policy.deadlineMs;
    const limitMs = deadlineIsInherited ? inheritedMs : policy.deadlineMs;
    const limit = limitTime({ parent: context.signal, limitMs, onLimit: 'deadline_exceeded', clock });
    active.add(limit);
    if (isClosed) limit.stop('cancelled');
    try {
      const outcome = await runCall(
        {
          endpoint,
          request: prepared.request,
          signal: limit.signal,
          deadline: startedAt + limitMs,
          deadlineIsInherited,
        },
        {
          transport,
          breaker,
          token: context.token ?? token,
          policy,
          clock,
          random,
          emit: (event) => emit({ client: name, endpoint: endpoint.id, ...event }),
        },
      );
      if (!outcome.ok) return fail(outcome.failure, outcome.attempts);
      end('ok', outcome.attempts);
      return { ok: true, data: outcome.data, status: outcome.status, attempts: outcome.attempts };
    } finally {
      limit.release();
      active.delete(limit);
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (const limit of active) limit.stop('cancelled');
    for (const { breaker } of routes.values()) breaker.close();
    await transport.close();
  }

  return {
    // `run` returns what the endpoint's own schema made, so the data has the type the endpoint declares.
    call: (endpoint, input, context) => run(endpoint, input, context) as Promise<Result<never>>,
    health: () => Object.fromEntries([...routes].map(([id, { breaker }]) => [id, breaker.health()])),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Route {
  readonly endpoint: AnyEndpoint;
  readonly policy: Policy;
  readonly breaker: CircuitBreaker;
}

/** Whether whoever made this call may make it again without doing its work twice. */
function isHarmlessTwice(endpoint: AnyEndpoint, context: CallContext): boolean {
  if (endpoint.method === 'GET' || endpoint.method === 'HEAD') return true;
  const replay = replayOf(endpoint);
  // A key that the client made up is gone with the call; only the caller's own comes back with the next one.
  return replay === 'idempotent' || (replay === 'key' && context.idempotencyKey !== undefined);
}
