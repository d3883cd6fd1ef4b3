export { assembleServer, type AssembleOptions, type Server } from './assemble.ts';
export { runCommand, type Command, type Invocation } from './command.ts';
export { openAuthentication, type Authentication } from './authentication.ts';
export { authenticationSettings, commonSettings } from './common-settings.ts';
export type { GateOptions } from './http/gate.ts';
export { serveHttp, type HttpServer, type ServeHttpOptions } from './http/serve-http.ts';
export type { Probe, Readiness } from './readiness.ts';
export { SettingsError, type Setting, type Settings, type SettingValues } from './settings.ts';
export { serveStdio, type ServeStdioOptions } from './stdio/serve-stdio.ts';
