import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { applyFault, type Fault } from './faults.ts';

const HOST = '127.0.0.1';
const MAX_LOGGED_REQUESTS = 1000;

/** One request as it arrived, whatever became of it. Refused connections (`down`) leave no entry. */
export interface WireRequest {
  readonly at: Date;
  readonly method: string;
  /** Path with the query string. */
  readonly path: string;
  /** All headers, names in lower case; several values are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A listener on loopback whose wire can be disturbed and whose requests are kept (the last 1,000). */
export interface ServiceHost {
  readonly url: string;
  readonly port: number;
  readonly handle: (handler: (request: IncomingMessage, response: ServerResponse) => void) => void;
  readonly fault: () => Fault | undefined;
  readonly setFault: (fault: Fault | undefined) => Promise<void>;
  readonly requests: () => readonly WireRequest[];
  readonly close: () => Promise<void>;
}

/** Thrown when a fixed port is in use by another program. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly code = 'PORT_TAKEN';

  constructor(service: string, port: number, options?: ErrorOptions) {
    super(`Port ${port}, wanted for the ${service} service, is taken by another program.`, options);
  }
}

/** Listens at once, so that the port is known before the handler (an issuer needs its own URL) is set. */
export async function createServiceHost(options: {
  name: string;
  port: number;
  now: () => Date;
}): Promise<ServiceHost> {
  let handler: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  let fault: Fault | undefined;
  let remaining = Number.POSITIVE_INFINITY;
  let lastChange: Promise<void> = Promise.resolve();
  const requests: WireRequest[] = [];

  const server = createServer((request, response) => {
    requests.push(describe(request, options.now()));
    if (requests.length > MAX_LOGGED_REQUESTS) {
      requests.shift();
    }
    const active = takeFault();
    const handle = (): void => handler?.(request, response);
    if (active === undefined || active.kind === 'down') {
      handle();
    } else {
      applyFault(active, request, response, handle);
    }
  });
  const port = await listen(server, options.port, options.name);

  function takeFault(): Fault | undefined {
    const active = fault;
    remaining -= 1;
    if (remaining <= 0) {
      fault = undefined;
    }
    return active;
  }

  async function change(next: Fault | undefined): Promise<void> {
    if (next?.kind === 'down') {
      await stop(server);
    } else if (!server.listening) {
      await listen(server, port, options.name);
    }
    fault = next;
    remaining = (next && 'times' in next ? next.times : undefined) ?? Number.POSITIVE_INFINITY;
  }

  return {
    url: `http://${HOST}:${port}`,
    port,
    handle(next) {
      handler = next;
    },
    fault: () => fault,
    setFault(next) {
      // Changes are applied one after another: closing and reopening a listener both take time.
      lastChange = lastChange.then(
        () => change(next),
        () => change(next),
      );
      return lastChange;
    },
    requests: () => [...requests],
    async close() {
      await lastChange.catch(() => undefined); // A failed change was reported to the one who asked for it.
      await stop(server);
    },
  };
}

function describe(request: IncomingMessage, at: Date): WireRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) {
      headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
  }
  return { at, method: request.method ?? 'GET', path: request.url ?? '/', headers };
}

function listen(server: Server, port: number, service: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(service, port, { cause: error }) : error);
    };
    server.once('error', failed);
    server.listen(port, HOST, () => {
      server.off('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function stop(server: Server): Promise<void> {
  if (!server.listening) {
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
