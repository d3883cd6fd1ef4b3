export type { CallerRights } from './server/server-ports.ts';
export { assembleServer, type AssembleOptions, type Server } from './assemble.ts';
export { auditOptions } from './program/audit-options.ts';
export { auditSettings } from './program/audit-settings.ts';
export { runCommand, type Command, type Invocation } from './program/command.ts';
export { checkAuthenticationSettings } from './program/authentication/check-authentication.ts';
export {
  openAuthentication,
  unauthenticatedAccess,
  type Authentication,
  type AuthenticationParts,
  type UnauthenticatedAccess,
} from './program/authentication/authentication.ts';
export { catalogSettings } from './program/catalog-settings.ts';
export { authenticationSettings, commonSettings } from './program/common-settings.ts';
export { checkHttpSettings, httpOptions, httpSettings } from './program/http-settings.ts';
export { checkRedisSettings, redisOptions, redisSettings } from './program/redis-settings.ts';
export { taskOptions, taskSettings } from './program/task-settings.ts';
export type { TokenGateOptions } from './gate/bearer-gate.ts';
export type { HttpServer } from './http/listen.ts';
export type { GateOptions, OperatorPort, ServeHttpOptions } from './http/serve-http-options.ts';
export type { UnauthenticatedGateOptions } from './gate/unauthenticated-gate.ts';
export { isLoopbackHost } from './loopback.ts';
export type { RateLimitOptions } from './server/rate-limit-options.ts';
export type { Probe, Readiness } from './server/readiness/readiness.ts';
export type { ServerAudit, ServerPorts, ServerTasks } from './server/server-ports.ts';
export { planShutdown, type ShutdownOptions, type ShutdownPlan } from './server/shutdown-budget.ts';
export { serveHttp } from './serve-http.ts';
export type { McpApp } from './app/mcp-app.ts';
export type { McpAppOptions } from './app/mcp-app-options.ts';
export type { NodeFacts } from './app/node-exchange.ts';
export type { FetchFacts } from './app/fetch-exchange.ts';
export type { FastifyPlugin, FastifyScope } from './app/fastify-plugin.ts';
export type { EndpointLimits } from './limits/endpoint-limits.ts';
export type { SessionLimits } from './limits/session-limits.ts';
export type {
  Authenticate,
  Challenge,
  ChallengeDenied,
  DeniedRequest,
  Gate,
  KnownCaller,
  PublicDocument,
  Refusal,
} from './gate/gate.ts';
export type { HttpHeaders, RequestFacts } from './wire/exchange.ts';
export type { RequestMessage, RpcId } from './wire/message.ts';
export type { GuardedServer } from './gate/bearer-gate.ts';
export { SettingsError, type Setting, type Settings, type SettingValues } from './program/settings.ts';
export { openStdio, type StdioCaller, type StdioConnection } from './stdio/open-stdio.ts';
export { serveStdio, type ServeStdioOptions } from './stdio/serve-stdio.ts';
export type { StdioLimits, StdioOptions } from './stdio/stdio-options.ts';
