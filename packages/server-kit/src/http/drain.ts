import type { ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

/** Whether the server is on its way out. */
export interface Drain {
  readonly isDraining: () => boolean;
  begin(): void;
  /** Resolves when every POST has its whole answer, or after `timeoutMs`: some answers are streams without an end. */
  answered(timeoutMs: number): Promise<void>;
}

/** Asks clients to leave: from `begin()` on every answer closes its connection. */
export function createDrain(app: FastifyInstance): Drain {
  let draining = false;
  const unanswered = new Set<ServerResponse>();
  let allAnswered = () => {};

  app.addHook('onRequest', async (request, reply) => {
    if (draining) reply.header('connection', 'close');
    if (request.method !== 'POST') return;
    unanswered.add(reply.raw);
    // Also when the client is gone.
    reply.raw.once('close', () => {
      unanswered.delete(reply.raw);
      if (unanswered.size === 0) allAnswered();
    });
  });
  return {
    isDraining: () => draining,
    begin: () => {
      draining = true;
    },
    async answered(timeoutMs) {
      if (unanswered.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      allAnswered = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
