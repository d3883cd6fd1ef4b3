export { bearerFrom } from './bearer-from.ts';
export type { CircuitHealth, CircuitState } from './circuit-breaker.ts';
export type { CallContext, Result } from './call-endpoint.ts';
export { createClient, type Client, type ClientOptions } from './client.ts';
export type { BulkheadOptions } from './bulkhead.ts';
export type { ExplainAnswer } from './explain.ts';
export type { RetryBudgetOptions } from './retry-budget.ts';
export type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.ts';
export type { ClientAuthentication, ClientKey } from './client-authentication.ts';
export { clientCredentials, type ClientCredentialsOptions, type TokenOptions } from './client-credentials.ts';
export { ClientError, type ClientErrorCode } from './client-error.ts';
export type { Clock } from './clock.ts';
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
} from './endpoint.ts';
export type { CallEndEvent, ClientEvent } from './events.ts';
export type { BreakerRate, Hedge, Policy, PolicyOptions } from './policy.ts';
export type { Problem } from './problem.ts';
export type { Sent } from './retry.ts';
export type { TokenEndpointOptions } from './token-endpoint.ts';
export { tokenExchange, type TokenExchange, type TokenExchangeOptions } from './token-exchange.ts';
export type { AccessToken, TokenSource } from './token-source.ts';
export type { ClientCertificate, Dispatcher } from './transport.ts';
