import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** One request as it arrived. */
interface ReceivedRequest {
  readonly method: string;
  /** Path with the query string. */
  readonly path: string;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

/** What to answer: JSON with a status, or something done to the connection by hand. */
export type Answer =
  | { readonly status?: number | undefined; readonly json: unknown }
  | ((response: ServerResponse, request: ReceivedRequest) => void);

/** An upstream on loopback that answers what the test scripted; anything else is a 404 problem document. */
export interface FakeUpstream extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Scripts `GET /v1/services`; several answers are given one after another, the last one from then on. */
  readonly on: (route: string, ...answers: readonly Answer[]) => void;
}

/** An RFC 9457 problem document. */
export function problem(status: number, detail: string): Answer {
  return { status, json: { title: 'Problem', status, detail } };
}

/** Takes the request and never answers. */
export const silence: Answer = () => undefined;

/** Tears the connection down. */
export const reset: Answer = (response) => response.socket?.resetAndDestroy();

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const routes = new Map<string, Answer[]>();
  const requests: ReceivedRequest[] = [];

  const server = createServer((request, response) => {
    // A request that breaks off has nobody to answer.
    text(request).then(
      (body) => answerTo(request, body === '' ? undefined : JSON.parse(body), response),
      () => undefined,
    );
  });

  function answerTo(request: IncomingMessage, body: unknown, response: ServerResponse): void {
    const { method = '', url: path = '' } = request;
    const key = request.headers['idempotency-key'];
    const received: ReceivedRequest = {
      method,
      path,
      idempotencyKey: typeof key === 'string' ? key : undefined,
      body,
    };
    requests.push(received);
    const answers = routes.get(`${method} ${path}`) ?? [problem(404, 'There is nothing here.')];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof answer === 'function') {
      answer(response, received);
      return;
    }
    const status = answer?.status ?? 200;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(answer?.json));
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('not listening on a port');
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    on: (route, ...answers) => void routes.set(route, [...answers]),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
