import fastify, { type FastifyInstance } from 'fastify';
import type { z } from 'zod';

/** A failure that becomes an RFC 9457 problem document. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** Last segment of the problem's type URI; without it the type is `about:blank`. */
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    options: { type?: string; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.type = options.type;
    this.headers = options.headers ?? {};
  }
}

/** A Fastify instance with `GET /health` and problem documents for every failure. It does not listen. */
export function createJsonService(): FastifyInstance {
  const app = fastify({ logger: false });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const problem = error instanceof Problem ? error : fromUnknown(error);
    return reply
      .code(problem.status)
      .headers(problem.headers)
      .type('application/problem+json')
      .send(toDocument(problem));
  });
  app.setNotFoundHandler(() => {
    throw new Problem(404, 'There is no such route.');
  });
  app.get('/health', () => ({ status: 'ok' }));
  return app;
}

/**
 * The value, checked against the schema.
 * @throws {Problem} with status 400 that names the first wrong member.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const issue = result.error.issues[0];
  throw new Problem(400, `${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'invalid'}`);
}

function fromUnknown(error: Error & { statusCode?: number }): Problem {
  const status = error.statusCode ?? 500;
  return status < 500 ? new Problem(status, error.message) : new Problem(500, 'The sandbox failed.');
}

function toDocument(problem: Problem): Record<string, unknown> {
  const titles: Record<number, string> = {
    400: 'Bad request',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'Not found',
    409: 'Conflict',
    422: 'Unprocessable content',
  };
  return {
    type:
      problem.type === undefined ? 'about:blank' : `https://platform.sandbox.test/problems/${problem.type}`,
    title: titles[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
  };
}
