import type { Telemetry } from '@mcp-parts/observability';

import type { EndedSession } from '../app/mcp-app-options.ts';
import type { McpApp } from '../app/mcp-app.ts';

/** Bucket bounds in seconds that the OpenTelemetry conventions for MCP advise. */
const SESSION_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** Shows at each scrape what is open. */
export function observeEndpoint(telemetry: Pick<Telemetry, 'observeGauge'>, app: Pick<McpApp, 'open'>): void {
  const gauge = (name: string, description: string, member: keyof ReturnType<McpApp['open']>) =>
    telemetry.observeGauge(name, description, () => app.open()[member]);
  gauge('mcp.server.sessions', 'Sessions in memory, of protocol versions that have some.', 'sessions');
  gauge('mcp.server.streams', 'Open streams that wait for events.', 'streams');
  gauge('mcp.server.active_requests', 'Requests that are being served.', 'calls');
}

/**
 * Measures sessions for as long as they are in memory: `mcp.server.session.duration`. The latest protocol version has
 * none.
 */
export function measureSessions(meter: Telemetry['meter']): (session: EndedSession) => void {
  const duration = meter.createHistogram('mcp.server.session.duration', {
    description: 'Duration of sessions, for as long as they are in memory.',
    unit: 's',
    advice: { explicitBucketBoundaries: SESSION_BUCKETS },
  });
  return ({ durationMs, protocolVersion }) =>
    duration.record(durationMs / 1000, {
      'mcp.protocol.version': protocolVersion,
      'network.protocol.name': 'http',
      'network.transport': 'tcp',
    });
}

/** Counts requests that the gate refused, by why: the status says only that it did. */
export function countRefusals(meter: Telemetry['meter']): (code: string) => void {
  const refusals = meter.createCounter('mcp_parts.server.refusals', {
    description: 'Requests refused at the gate, before anything of them was read.',
  });
  return (code) => refusals.add(1, { 'error.type': code });
}
