import type { IncomingMessage, ServerResponse } from 'node:http';

import { PROMETHEUS_CONTENT_TYPE } from '@mcp-parts/observability';

import { securityHeaders } from '../app/node-exchange.ts';
import type { Server } from '../assemble.ts';

/** Answers one of the operator's questions. */
type OperatorRoute = (response: ServerResponse, headers: Readonly<Record<string, string>>) => Promise<void>;

/** What operators and their machines ask: is it alive, may it get traffic, how is it doing. */
export function createOperatorRoutes(
  server: Server,
  isClosing: () => boolean,
): { readonly find: (request: IncomingMessage) => OperatorRoute | undefined } {
  const { name, version } = server.serverInfo;
  const health = JSON.stringify({ status: 'ok', name, version });
  const routes = new Map<string, OperatorRoute>([
    ['/health', async (response, headers) => answerText(response, 200, health, headers)],
    [
      '/ready',
      async (response, headers) => {
        if (isClosing()) {
          answerText(response, 503, JSON.stringify({ status: 'closing', checks: {} }), headers);
          return;
        }
        const { ready, checks } = await server.readiness();
        const status = ready ? 'ready' : 'not_ready';
        const body = JSON.stringify({
          status,
          checks,
          facts: server.ages(),
          audit: auditState(server.audit),
        });
        answerText(response, ready ? 200 : 503, body, headers);
      },
    ],
    [
      '/metrics',
      async (response, headers) => {
        const text = await server.telemetry.prometheus();
        answerText(response, 200, text, { ...headers, 'content-type': PROMETHEUS_CONTENT_TYPE });
      },
    ],
  ]);
  return {
    find({ method, url = '' }) {
      const end = url.indexOf('?');
      const path = end === -1 ? url : url.slice(0, end);
      return method === 'GET' || method === 'HEAD' ? routes.get(path) : undefined;
    },
  };
}

/** Answers with a short text; JSON, unless a header says otherwise. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...securityHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** How far the audit trail is shipped, if it says so: names and numbers, nothing internal. */
function auditState(audit: Server['audit']) {
  const health = audit.health?.();
  if (health === undefined) {
    return undefined;
  }
  const { state, backlog, oldestUndeliveredAgeMs, sinks } = health;
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
