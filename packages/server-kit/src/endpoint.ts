/** The endpoint for a server that you already have. Apart from the rest, as it loads the SDKs of both eras. */
export { createMcpApp, type McpApp } from './app/mcp-app.ts';
export type { McpAppOptions } from './app/mcp-app-options.ts';
export { createBearerGate, type GuardedServer, type TokenGateOptions } from './gate/bearer-gate.ts';
export type { Authenticate, Gate, KnownCaller, Refusal } from './gate/gate.ts';
