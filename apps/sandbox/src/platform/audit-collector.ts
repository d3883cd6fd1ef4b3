import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import { createJsonService, parse } from '../wire/json-service.ts';
import type { ScopeGuard } from '../wire/scope-guard.ts';

const eventSchema = z.looseObject({ id: z.string().min(1) });
const batchSchema = z.strictObject({ events: z.array(eventSchema).min(1).max(1000) });
const pageSchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** An audit event as it was sent; the collector looks only at its id. */
export type CollectedEvent = z.infer<typeof eventSchema>;

/** Collects audit events once each, in the order of arrival. */
export function createAuditCollector(options: { guard: ScopeGuard }): {
  app: FastifyInstance;
  events: () => CollectedEvent[];
} {
  const app = createJsonService();
  const write = { onRequest: options.guard('audit:write') };
  const events = new Map<string, CollectedEvent>();

  app.post('/v1/events', write, (request) => {
    const batch = parse(batchSchema, request.body).events;
    const before = events.size;
    for (const event of batch) {
      if (!events.has(event.id)) {
        events.set(event.id, event);
      }
    }
    const accepted = events.size - before;
    return { accepted, duplicates: batch.length - accepted };
  });

  // `next` is the position to send as `after` for the following page.
  app.get('/v1/events', write, (request) => {
    const { after, limit } = parse(pageSchema, request.query);
    const page = [...events.values()].slice(after, after + limit);
    return { events: page, next: after + page.length };
  });

  return { app, events: () => [...events.values()] };
}
