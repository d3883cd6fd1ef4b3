import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as a backend has received it. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/**
 * What a backend does with one request: it answers, or breaks the connection (`reset`), begins an answer and breaks it
 * (`cut-off`), or says nothing until the client gives up (`hang`).
 */
export type UpstreamStep =
  | {
      readonly status: number;
      /** Sent as JSON. @default an empty body */
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    }
  | 'reset'
  | 'cut-off'
  | 'hang';

/** What is done with the next request, or a function that decides when it has seen it. */
export type UpstreamScript = UpstreamStep | ((request: UpstreamRequest) => UpstreamStep);

/** A backend on loopback that behaves as a test says. */
export interface TestUpstream extends AsyncDisposable {
  /** Its base URL, without a slash at the end. */
  readonly url: string;
  /** Every request so far, in the order in which they were complete. */
  readonly requests: readonly UpstreamRequest[];
  /** Replaces what is left of the script. */
  readonly script: (...steps: readonly [UpstreamScript, ...UpstreamScript[]]) => void;
}

/** Starts a backend on a free port that takes one step for each request and repeats its last step for ever. */
export async function startUpstream(
  ...steps: readonly [UpstreamScript, ...UpstreamScript[]]
): Promise<TestUpstream> {
  const requests: UpstreamRequest[] = [];
  let left: readonly UpstreamScript[] = steps;
  const next = (request: UpstreamRequest): UpstreamStep => {
    const [step = 'hang', ...rest] = left;
    left = rest.length === 0 ? left : rest;
    return typeof step === 'function' ? step(request) : step;
  };
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    text(request).then(
      (body) => {
        const received = { method, path: url, headers, body };
        requests.push(received);
        play(next(received), response);
      },
      // The client gave up while it was sending.
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A server that listens on a port has an address of this kind.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(...following) {
      left = following;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function play(step: UpstreamStep, response: ServerResponse): void {
  switch (step) {
    case 'hang':
      return;
    case 'reset':
      response.destroy();
      return;
    case 'cut-off':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":', () => response.destroy());
      return;
    default: {
      const { status, body, headers } = step;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(body === undefined ? '' : JSON.stringify(body));
    }
  }
}
