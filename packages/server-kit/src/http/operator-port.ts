import { createServer } from 'node:http';

import type { Logger } from '@mcp-parts/tool-kit';

import { answerText } from '../app/answer-text.ts';
import { isLoopbackHost } from '../loopback.ts';
import { loopbackNames } from '../wire/cors.ts';
import { countOfHeader, createHostRule } from '../wire/host-rule.ts';
import { listening, urlOf } from './listening.ts';
import type { OperatorRoutes } from './operator-routes.ts';

/** Operators and their machines are few; whoever opens more sockets than this is something else. */
const MAX_CONNECTIONS = 100;

/** Answers operators on a port of their own, which a gateway does not publish. */
export async function listenForOperators(
  { host, port }: { readonly host: string; readonly port: number },
  routes: OperatorRoutes,
  logger: Logger,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const isLoopback = isLoopbackHost(host);
  const isLoopbackName = createHostRule(loopbackNames);
  const http = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      // On loopback a web page could ask by DNS rebinding; in a cluster the network decides who can.
      if (isLoopback && (countOfHeader('host', request) !== 1 || !isLoopbackName(request.headers.host))) {
        answerText(response, 403, JSON.stringify({ error: 'wrong_host' }));
        request.resume();
        return;
      }
      const route = routes.find(request);
      if (route === undefined) {
        answerText(response, 404, JSON.stringify({ error: 'not_found' }));
        request.resume();
        return;
      }
      route(response, {}, request).catch((error: unknown) => {
        logger.error({ err: error }, 'operator not answered');
        response.destroy();
      });
    },
  );
  http.maxConnections = MAX_CONNECTIONS;
  await listening(http, host, port);
  return {
    url: urlOf(http, host, ''),
    async close() {
      const closed = new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
      http.closeAllConnections();
      await closed;
    },
  };
}
