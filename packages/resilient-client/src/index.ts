export { bearerFrom } from './tokens/bearer.ts';
export type { CircuitHealth, CircuitState } from './protection/circuit-breaker.ts';
export type { CallContext, Result } from './call/call.ts';
export { createClient, type Client, type ClientOptions } from './client.ts';
export type { BulkheadOptions } from './protection/bulkhead.ts';
export type { ExplainAnswer } from './errors/explain.ts';
export type { RetryBudgetOptions } from './protection/retry-budget.ts';
export type { SchemaInput, SchemaOutput, StandardSchema } from './endpoint/standard-schema.ts';
export type { ClientAuthentication, ClientKey } from './tokens/client-authentication.ts';
export {
  clientCredentials,
  type ClientCredentialsOptions,
  type TokenOptions,
} from './tokens/client-credentials.ts';
export { ClientError, type ClientErrorCode } from './errors/client-error.ts';
export type { Clock } from './time/clock.ts';
export {
  endpoint,
  type AnyEndpoint,
  type CallInput,
  type Endpoint,
  type HttpMethod,
  type PathParams,
  type QuerySchema,
  type QueryValue,
  type Replay,
} from './endpoint/define-endpoint.ts';
export type { CallEndEvent, ClientEvent } from './call/events.ts';
export type { BreakerRate, Hedge, Policy, PolicyOptions } from './protection/policy.ts';
export type { Problem } from './errors/problem.ts';
export type { Sent } from './protection/replay.ts';
export type { TokenEndpointOptions } from './tokens/endpoint.ts';
export { tokenExchange, type TokenExchange, type TokenExchangeOptions } from './tokens/exchange.ts';
export type { AccessToken, TokenSource } from './tokens/source.ts';
export type { ClientCertificate, Dispatcher } from './http/undici-transport.ts';
