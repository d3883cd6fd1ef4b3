import type { FastifyInstance } from 'fastify';

/** Whether the server is on its way out. */
export interface Drain {
  readonly isDraining: () => boolean;
  begin(): void;
}

/** Asks clients to leave: from `begin()` on every answer closes its connection. */
export function createDrain(app: FastifyInstance): Drain {
  let draining = false;
  app.addHook('onRequest', async (_request, reply) => {
    if (draining) reply.header('connection', 'close');
  });
  return {
    isDraining: () => draining,
    begin: () => {
      draining = true;
    },
  };
}
