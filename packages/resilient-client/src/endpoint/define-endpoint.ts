import type { ExplainResponse } from '../errors/explain.ts';
import { resolveCallPolicyOptions, type CallPolicyOptions } from '../protection/call-policy.ts';
import type { Replay } from '../protection/replay.ts';
import type { SchemaInput, StandardSchema } from './standard-schema.ts';

/** The methods an endpoint may have. */
export type HttpMethod = 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'POST' | 'PATCH';

/** A value that may stand in a query string. */
export type QueryValue = string | number | boolean | undefined;

/** A schema whose output can be written as a query string; an array repeats its name. */
export type QuerySchema = StandardSchema<unknown, Record<string, QueryValue | readonly QueryValue[]>>;

/** The parameters named in braces in a path template: `/v1/services/{service}` needs `{ service }`. */
export type PathParams<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name | keyof PathParams<Rest>]: string | number }
  : object;

/** One operation of an upstream, as data: what to send, what comes back, and how to treat its failures. */
export interface Endpoint<
  Path extends string,
  Query extends QuerySchema | undefined,
  Body extends StandardSchema | undefined,
  Response extends StandardSchema,
> {
  /** Names the operation in errors, events and health, and keys its circuit breaker: `deployments.create`. */
  readonly id: string;
  readonly method: HttpMethod;
  /** Begins with `/`, is appended to the client's base URL, and names its parameters in braces. */
  readonly path: Path;
  /** Checks and types the query; without it the endpoint takes none. */
  readonly query?: Query | undefined;
  /** Checks and types the JSON request body; without it the endpoint sends none. A `bigint` in it is written as a number. */
  readonly body?: Body | undefined;
  /** Checks and types the JSON response; keep it loose. An empty response is `undefined`. Must be synchronous, as all three. */
  readonly response: Response;
  /**
   * What integers of the response become that a number cannot hold, those beyond ±(2^53 − 1): a `bigint`, or a string of
   * their digits; other numbers stay numbers. @default `JSON.parse`, which rounds them
   */
  readonly bigIntegers?: 'bigint' | 'string' | undefined;
  /** What may be sent twice. @default `idempotent` for GET, HEAD, PUT and DELETE, `never` for POST and PATCH (RFC 9110 §9.2.2) */
  readonly replay?: Replay | undefined;
  /**
   * The sentence that people and models read instead of the general one: what failed and what to do next. By status, or
   * made from the response; undefined or an error leaves the general sentence.
   */
  readonly explain?: Readonly<Record<number, string>> | ExplainResponse | undefined;
  /**
   * Whose failures open the circuit, and whose 429 holds calls back: its own, or those of all the client's endpoints that
   * say `upstream`. @default `endpoint`
   */
  readonly breaker?: 'endpoint' | 'upstream' | undefined;
  /**
   * Lets concurrent calls for the same thing share one request: same path, query, headers and token. Only for GET.
   * @default false
   */
  readonly singleFlight?: boolean | undefined;
  /** Overrides the client's policy for this endpoint. */
  readonly policy?: CallPolicyOptions | undefined;
}

/** Any endpoint, whatever its types. */
export type AnyEndpoint = Endpoint<
  string,
  QuerySchema | undefined,
  StandardSchema | undefined,
  StandardSchema
>;

/** What a call to an endpoint needs: exactly the parameters, query and body it declares. */
export type CallInput<
  Path extends string,
  Query extends QuerySchema | undefined,
  Body extends StandardSchema | undefined,
> = (keyof PathParams<Path> extends never
  ? { readonly params?: undefined }
  : { readonly params: PathParams<Path> }) &
  (Query extends QuerySchema
    ? object extends SchemaInput<Query>
      ? { readonly query?: SchemaInput<Query> }
      : { readonly query: SchemaInput<Query> }
    : { readonly query?: undefined }) &
  (Body extends StandardSchema ? { readonly body: SchemaInput<Body> } : { readonly body?: undefined });

/**
 * Declares an endpoint once, at module level, with its types inferred.
 * @throws {TypeError} when the id or path cannot work, a GET or HEAD has a body, or the options contradict each other
 * @throws {RangeError} when its policy has a number out of range
 */
export function defineEndpoint<
  const Path extends string,
  Response extends StandardSchema,
  Query extends QuerySchema | undefined = undefined,
  Body extends StandardSchema | undefined = undefined,
>(definition: Endpoint<Path, Query, Body, Response>): Endpoint<Path, Query, Body, Response> {
  const { id, method, path, body, policy } = definition;
  if (!/^[\w.-]+$/.test(id)) {
    throw new TypeError(`endpoint id must be letters, digits, ".", "_" and "-", got ${JSON.stringify(id)}`);
  }
  if (!PATH_TEMPLATE.test(path)) {
    throw new TypeError(
      `endpoint ${id}: path must be "/" and segments of URL characters or {name}, got ${path}`,
    );
  }
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new TypeError(`endpoint ${id}: a ${method} has no body`);
  }
  if (definition.singleFlight === true && method !== 'GET') {
    throw new TypeError(`endpoint ${id}: singleFlight is for GET, got ${method}`);
  }
  if (definition.breaker === 'upstream' && policy?.breaker !== undefined) {
    throw new TypeError(`endpoint ${id}: the circuit of an upstream has the client's policy.breaker`);
  }
  resolveCallPolicyOptions(policy);
  return Object.freeze({ ...definition });
}

/** The replay rule of an endpoint, with the default by method. */
export function replayOf(endpoint: Pick<AnyEndpoint, 'method' | 'replay'>): Replay {
  if (endpoint.replay !== undefined) {
    return endpoint.replay;
  }
  return endpoint.method === 'POST' || endpoint.method === 'PATCH' ? 'never' : 'idempotent';
}

// Segments of unreserved characters, some sub-delimiters and parameters; dot segments are refused when the URL is built.
const PATH_TEMPLATE = /^\/$|^(\/([\w.~!$&'()*+,;=:@-]|\{[A-Za-z_]\w*\})+)+$/;
