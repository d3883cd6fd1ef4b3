import { PROMETHEUS_CONTENT_TYPE } from '@mcp-parts/observability';
import type { FastifyInstance } from 'fastify';

import type { Server } from '../assemble.ts';
import type { Drain } from './drain.ts';

/** The paths of {@link addOperatorRoutes}. */
export const operatorRoutes = ['/health', '/ready', '/metrics'] as const;

/** What operators and their machines ask: is it alive, may it get traffic, how is it doing. */
export function addOperatorRoutes(app: FastifyInstance, server: Server, drain: Drain): void {
  const { name, version } = server.serverInfo;
  app.get('/health', async () => ({ status: 'ok', name, version }));

  app.get('/ready', async (_request, reply) => {
    if (drain.isDraining()) {
      return reply.code(503).send({ status: 'closing', checks: {} });
    }
    const { ready, checks } = await server.readiness();
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ready' : 'not_ready',
      checks,
      facts: server.ages(),
      audit: auditState(server.audit),
    });
  });

  app.get('/metrics', async (_request, reply) =>
    reply.type(PROMETHEUS_CONTENT_TYPE).send(await server.telemetry.prometheus()),
  );
}

/** How far the audit trail is shipped: names and numbers, nothing internal. */
function auditState(audit: Server['audit']) {
  const { state, backlog, oldestUndeliveredAgeMs, sinks } = audit.health();
  return {
    state,
    backlog,
    oldestUndeliveredAgeMs,
    sinks: sinks.map((sink) => ({
      name: sink.name,
      state: sink.state,
      backlog: sink.backlog,
      oldestUndeliveredAgeMs: sink.oldestUndeliveredAgeMs,
      failures: sink.failures,
      quarantined: sink.quarantined,
    })),
  };
}
