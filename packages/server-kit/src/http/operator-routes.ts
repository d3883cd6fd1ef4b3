import type { IncomingMessage } from 'node:http';

import { PROMETHEUS_CONTENT_TYPE } from '@mcp-parts/observability';

import { answerText } from '../app/answer-text.ts';
import type { Server } from '../assemble.ts';
import { createConsoleRoutes, type ConsoleOptions, type ConsoleRoute } from '../console/console-routes.ts';
import type { Readiness } from '../server/readiness/readiness.ts';

/** Answers one of the operator's questions. */
type OperatorRoute = ConsoleRoute;

/** The operator's questions that a server answers on one of its ports. */
export interface OperatorRoutes {
  readonly find: (request: IncomingMessage) => OperatorRoute | undefined;
}

/** What operators ask, and whether their page is there: it is not for whoever reaches a port in a network. */
export interface OperatorRoutesOptions extends ConsoleOptions {
  readonly hasConsole: boolean;
}

/** What operators and their machines ask: is it alive, may it get traffic, how is it doing. */
export function createOperatorRoutes(server: Server, options: OperatorRoutesOptions): OperatorRoutes {
  const { isClosing, hasConsole } = options;
  const pages = hasConsole ? createConsoleRoutes(server, options) : undefined;
  const questions: readonly (readonly [string, OperatorRoute])[] = [
    ['/health', healthOf(server)],
    [
      '/ready',
      async (response, headers) => {
        const { state, checks } = await readinessOf(server, isClosing);
        const details = { status: state, checks, facts: server.ages(), audit: auditState(server.audit) };
        answerText(response, statusOf(state), JSON.stringify(details), headers);
      },
    ],
    [
      '/metrics',
      async (response, headers) => {
        const text = await server.telemetry.prometheus();
        answerText(response, 200, text, { ...headers, 'content-type': PROMETHEUS_CONTENT_TYPE });
      },
    ],
  ];
  return routesOf([...questions, ...Object.entries(pages?.GET ?? {})], Object.entries(pages?.POST ?? {}));
}

/** What a load balancer asks on the port that it balances. It learns states, and no names. */
export function createProbeRoutes(server: Server, isClosing: () => boolean): OperatorRoutes {
  return routesOf([
    ['/health', healthOf(server)],
    [
      '/ready',
      async (response, headers) => {
        const { state } = await readinessOf(server, isClosing);
        answerText(response, statusOf(state), JSON.stringify({ status: state }), headers);
      },
    ],
  ]);
}

function routesOf(
  questions: readonly (readonly [string, OperatorRoute])[],
  forms: readonly (readonly [string, OperatorRoute])[] = [],
): OperatorRoutes {
  const gets = new Map(questions);
  const posts = new Map(forms);
  return {
    find({ method, url = '' }) {
      const end = url.indexOf('?');
      const path = end === -1 ? url : url.slice(0, end);
      if (method === 'POST') {
        return posts.get(path);
      }
      return method === 'GET' || method === 'HEAD' ? gets.get(path) : undefined;
    },
  };
}

function healthOf({ serverInfo: { name, version } }: Server): OperatorRoute {
  const health = JSON.stringify({ status: 'ok', name, version });
  return async (response, headers) => answerText(response, 200, health, headers);
}

type State = Readiness['state'] | 'closing';

async function readinessOf(
  server: Server,
  isClosing: () => boolean,
): Promise<{ readonly state: State; readonly checks: Readiness['checks'] }> {
  return isClosing() ? { state: 'closing', checks: {} } : server.readiness();
}

function statusOf(state: State): number {
  return state === 'ready' || state === 'degraded' ? 200 : 503;
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
