import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Telemetry } from '@mcp-parts/observability';

/** Bucket bounds in seconds that the OpenTelemetry conventions for HTTP advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** What the endpoint knows; anything else is the client's own word, which must not become a series. */
const METHODS = new Set(['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD']);
const ROUTES = new Set(['/health', '/ready', '/metrics', '/console']);

/**
 * Measures every request of the service port, whatever refused it: `http.server.request.duration` of the OpenTelemetry
 * conventions. Statuses tell why: 401, 403, 429, 503. A stream counts for as long as it is open.
 */
export function measureRequests(
  meter: Telemetry['meter'],
  endpoint: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  const duration = meter.createHistogram('http.server.request.duration', {
    description: 'Duration of HTTP requests, until the response is written.',
    unit: 's',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  return (request, response) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const { method = '' } = request;
      const path = request.url?.split('?', 1)[0] ?? '';
      duration.record((performance.now() - startedAt) / 1000, {
        'http.request.method': METHODS.has(method) ? method : '_OTHER',
        'http.response.status_code': response.statusCode,
        'http.route': path === endpoint || ROUTES.has(path) ? path : '_OTHER',
        'url.scheme': 'http',
      });
    });
  };
}
