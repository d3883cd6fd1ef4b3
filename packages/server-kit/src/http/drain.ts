import type { ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

/** Whether the server is on its way out. */
export interface Drain {
  readonly isDraining: () => boolean;
  readonly begin: () => void;
  /** Resolves when every POST has its whole response, or after `timeoutMs`: some are streams without an end. */
  readonly responded: (timeoutMs: number) => Promise<void>;
}

/** Asks clients to leave: from `begin()` on every response closes its connection. */
export function createDrain(app: FastifyInstance): Drain {
  let draining = false;
  const open = new Set<ServerResponse>();
  let allResponded = () => {};

  app.addHook('onRequest', async (request, reply) => {
    if (draining) {
      reply.header('connection', 'close');
    }
    if (request.method !== 'POST') {
      return;
    }
    open.add(reply.raw);
    // Also when the client is gone.
    reply.raw.once('close', () => {
      open.delete(reply.raw);
      if (open.size === 0) {
        allResponded();
      }
    });
  });
  return {
    isDraining: () => draining,
    begin: () => {
      draining = true;
    },
    async responded(timeoutMs) {
      if (open.size === 0) {
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      allResponded = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
