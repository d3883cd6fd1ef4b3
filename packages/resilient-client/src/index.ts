// A client, its endpoints and their calls.
export { createClient, type Client } from './client.ts';
export type { ClientOptions } from './client-options.ts';
export {
  defineEndpoint,
  type AnyEndpoint,
  type CallInput,
  type Endpoint,
  type HttpMethod,
  type PathParams,
  type QuerySchema,
  type QueryValue,
} from './endpoint/define-endpoint.ts';
export type { SchemaInput, SchemaOutput, StandardSchema } from './endpoint/standard-schema.ts';
export { callFor, callOptionsFor, type Work } from './call-for.ts';
export type { CallOptions, Result } from './call/call.ts';
export type { CallEndEvent, ClientEvent } from './call/events.ts';

// What a failed call tells.
export { ClientError } from './errors/client-error.ts';
export type { ClientErrorCode } from './errors/failure.ts';
export type { ExplainResponse } from './errors/explain.ts';
export type { Problem } from './errors/problem.ts';
export type { Sent } from './http/wire.ts';

// How calls, and the upstream, are protected.
export type {
  BreakerRate,
  CallPolicy,
  CallPolicyOptions,
  CircuitOutcome,
  Hedge,
} from './protection/call-policy.ts';
export type { Replay } from './protection/replay.ts';
export type { BulkheadOptions } from './protection/bulkhead.ts';
export type { RetryBudgetOptions } from './protection/retry-budget.ts';
export type { CircuitHealth, CircuitState } from './protection/circuit-breaker.ts';

// Tokens.
export { createBearerSource } from './tokens/bearer.ts';
export { createClientCredentials, type ClientCredentialsOptions } from './tokens/client-credentials.ts';
export { createTokenExchange, type TokenExchange, type TokenExchangeOptions } from './tokens/exchange.ts';
export type { ClientAuthentication, ClientKey } from './tokens/client-authentication.ts';
export type { TokenEndpointOptions, TokenOptions } from './tokens/options.ts';
export type { AccessToken, TokenSource } from './tokens/source.ts';

// What a test or a network replaces.
export type { Clock } from './time/clock.ts';
export type { ClientCertificate, Dispatcher } from './http/undici-transport.ts';
