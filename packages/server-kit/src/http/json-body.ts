import type { FastifyInstance } from 'fastify';

/**
 * Parses JSON bodies, and lets a DELETE pass that announces JSON and has none: that is how the Python SDK ends
 * a session.
 */
export function parseJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '' && request.method === 'DELETE') {
      done(null);
    } else {
      void parseJson(request, body, done);
    }
  });
}
