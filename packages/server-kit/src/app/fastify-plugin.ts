import type { IncomingMessage, ServerResponse } from 'node:http';

import type { NodeFacts } from './node-exchange.ts';

/** As much of Fastify as a plugin needs, so that whoever has none needs none. */
export interface FastifyScope {
  removeAllContentTypeParsers: () => void;
  addContentTypeParser: (
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null, body?: unknown) => void) => void,
  ) => unknown;
  route: (options: {
    readonly method: string[];
    readonly url: string;
    readonly exposeHeadRoute?: boolean;
    readonly handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void>;
  }) => unknown;
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  readonly ip: string;
}

interface FastifyReplyLike {
  readonly raw: ServerResponse;
  readonly hijack: () => unknown;
}

/** A plugin for `app.register`. */
export type FastifyPlugin = (scope: FastifyScope) => Promise<void>;

const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'];

/** Serves the paths of an endpoint in a Fastify app, whose `trustProxy` says whose word counts for addresses. */
export function createFastifyPlugin(
  paths: readonly string[],
  serve: (request: IncomingMessage, response: ServerResponse, facts: NodeFacts) => Promise<boolean>,
): FastifyPlugin {
  return (scope) => {
    // The endpoint reads its bodies itself, and not before it knows who sends them.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of paths.flatMap((path) => (path.endsWith('/') ? [path] : [path, `${path}/`]))) {
      scope.route({
        method: METHODS,
        url,
        exposeHeadRoute: false,
        async handler(request, reply) {
          reply.hijack();
          await serve(request.raw, reply.raw, { sourceAddress: request.ip });
        },
      });
    }
    return Promise.resolve();
  };
}
