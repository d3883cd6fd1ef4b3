/**
 * Names of metrics and attributes, as the OpenTelemetry semantic conventions for MCP spell them.
 * Source: open-telemetry/semantic-conventions-genai docs/gen-ai/mcp.md.
 * What the conventions do not name starts with `mcp_parts.`.
 */
export const METRIC = {
  serverOperationDuration: 'mcp.server.operation.duration',
  serverCalls: 'mcp_parts.server.calls',
} as const;

export const ATTRIBUTE = {
  method: 'mcp.method.name',
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  resource: 'mcp.resource.uri',
  operation: 'gen_ai.operation.name',
  networkTransport: 'network.transport',
  errorType: 'error.type',
  callResult: 'mcp_parts.call.result',
  era: 'mcp_parts.protocol.era',
  serviceName: 'service.name',
  serviceVersion: 'service.version',
} as const;

/** `error.type` when nothing better is known, as the conventions demand. */
export const OTHER_ERROR = '_OTHER';

/** Bucket bounds in seconds that the conventions advise. */
export const SERVER_OPERATION_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
