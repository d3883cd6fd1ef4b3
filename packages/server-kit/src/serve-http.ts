import type { Server } from './assemble.ts';
import type { HttpServer, ServeHttpOptions } from './http/listen.ts';

/**
 * Serves both protocol eras on `/mcp`, with `/health`, `/ready`, `/metrics` and the protected resource
 * metadata beside it. Every request to `/mcp` carries a token, which is verified each time.
 *
 * @throws {TypeError} when bound to more than loopback without `allowedHosts`.
 */
export async function serveHttp(server: Server, options: ServeHttpOptions): Promise<HttpServer> {
  // Not before it is needed: a server on stdio loads neither Fastify nor the SDK of the other era.
  const http = await import('./http/listen.ts');
  return http.listen(server, options);
}
