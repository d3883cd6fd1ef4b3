export { assembleServer, type AssembleOptions, type Server } from './assemble.ts';
export { auditOptions, auditSettings } from './program/audit-settings.ts';
export { runCommand, type Command, type Invocation } from './program/command.ts';
export {
  checkAuthenticationSettings,
  openAuthentication,
  unauthenticatedAccess,
  type Authentication,
} from './program/authentication.ts';
export { authenticationSettings, commonSettings } from './program/common-settings.ts';
export { checkHttpSettings, httpOptions, httpSettings } from './program/http-settings.ts';
export type { TokenGateOptions } from './http/gate.ts';
export type { HttpServer } from './http/listen.ts';
export type { GateOptions, ServeHttpOptions } from './http/serve-http-options.ts';
export type { UnauthenticatedGateOptions } from './http/unauthenticated-gate.ts';
export { isLoopbackHost } from './loopback.ts';
export type { RateLimitOptions } from './server/rate-limiter.ts';
export type { Probe, Readiness } from './server/readiness.ts';
export { planShutdown, type ShutdownOptions, type ShutdownPlan } from './server/shutdown-budget.ts';
export { serveHttp } from './serve-http.ts';
export { SettingsError, type Setting, type Settings, type SettingValues } from './program/settings.ts';
export { openStdio, type StdioCaller, type StdioConnection } from './stdio/open-stdio.ts';
export { serveStdio, type ServeStdioOptions } from './stdio/serve-stdio.ts';
export type { StdioLimits, StdioOptions } from './stdio/stdio-options.ts';
