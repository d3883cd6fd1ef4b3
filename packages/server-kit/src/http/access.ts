import type { FastifyInstance, FastifyRequest } from 'fastify';

import { httpRpcCodes, sendRpcError } from './rpc-reply.ts';

/** Which names a server answers to, and which web pages may call it. */
export interface AccessOptions {
  /** Host names without port. */
  readonly allowedHosts: readonly string[];
  /** Whole origins, such as `https://client.example.com`, or host names of loopback for any port. */
  readonly allowedOrigins: readonly string[];
  /** Routes that answer to any host name: probes and scrapers use the pod's address. */
  readonly openRoutes: readonly string[];
}

/** The names of this machine for itself. */
export const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const;

/** Refuses DNS rebinding and foreign web pages before anything else looks at a request. */
export function checkAccess(app: FastifyInstance, options: AccessOptions): void {
  const hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()));

  app.addHook('onRequest', async (request, reply) => {
    if (options.openRoutes.includes(request.routeOptions.url ?? '')) {
      return;
    }
    if (countOf('host', request) > 1 || !hosts.has(hostName(request.headers.host))) {
      return sendRpcError(reply, 403, httpRpcCodes.refused, 'This server does not answer to that host name.');
    }
    if (countOf('authorization', request) > 1) {
      return sendRpcError(reply, 400, httpRpcCodes.invalidRequest, 'Send one Authorization header.');
    }
    const { origin } = request.headers;
    // 2026-07-28, basic/transports/streamable-http: a present and unknown Origin is 403.
    if (origin !== undefined && !isAllowedOrigin(origin.toLowerCase(), origins)) {
      return sendRpcError(reply, 403, httpRpcCodes.refused, 'This origin may not call this server.');
    }
  });
}

function isAllowedOrigin(origin: string, allowed: ReadonlySet<string>): boolean {
  if (allowed.has(origin)) {
    return true;
  }
  const url = URL.parse(origin);
  return url !== null && isLoopback(url.hostname) && allowed.has(url.hostname);
}

function isLoopback(name: string): boolean {
  return loopbackNames.some((loopback) => loopback === name);
}

function hostName(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/u, '');
}

/** Node takes the first of two such headers; a proxy before it may have taken the second. */
function countOf(header: string, request: FastifyRequest): number {
  return request.raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === header)
    .length;
}
