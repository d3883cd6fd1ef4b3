import type { Server } from './assemble.ts';
import type { HttpServer } from './http/listen.ts';
import type { ServeHttpOptions } from './http/serve-http-options.ts';

/**
 * Serves both protocol eras on `/mcp`, with `/health`, `/ready` and the protected resource metadata beside it, and
 * `/metrics` where `operator` says. Every request to `/mcp` carries a token, which is verified each time; a call that lacks a scope
 * is refused with 403 and all scopes it needs. With `gate: { unauthenticated }`, on loopback only, everybody counts as
 * that one caller.
 *
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} when bound to more than loopback without `allowedHosts`, or without authentication.
 */
export async function serveHttp(server: Server, options: ServeHttpOptions): Promise<HttpServer> {
  // Not before it is needed: a server on stdio loads neither Fastify nor the SDK of the other era.
  const http = await import('./http/listen.ts');
  return http.listen(server, options);
}
