import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an upstream was asked and said. */
export interface Recorded {
  readonly request: string;
  readonly body: string;
}

/** Stands in front of an upstream and writes down what it says. */
export interface Recorder extends AsyncDisposable {
  readonly url: string;
  readonly recorded: Recorded[];
}

/** Listens on a free loopback port. */
export async function startRecorder(upstream: string): Promise<Recorder> {
  const recorded: Recorded[] = [];
  const server = createServer((request, response) => void forward(request, response));
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const { 'content-type': type, authorization, 'idempotency-key': key } = request.headers;
    const answer = await fetch(`${upstream}${request.url ?? ''}`, {
      method: request.method ?? 'GET',
      headers: {
        ...(type !== undefined && { 'content-type': type }),
        ...(authorization !== undefined && { authorization }),
        ...(typeof key === 'string' && { 'idempotency-key': key }),
      },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    const body = await answer.text();
    recorded.push({ request: `${request.method} ${request.url}`, body });
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'application/json',
    });
    response.end(body);
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    recorded,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
