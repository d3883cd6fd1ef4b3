import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import { createJsonService, parse, Problem } from '../wire/json-service.ts';
import type { ScopeGuard } from '../wire/scope-guard.ts';
import type { Deployments } from './deployments.ts';
import { environmentSchema } from './types.ts';

const bodySchema = z.strictObject({
  service: z.string().min(1),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/, 'must be a version like 1.2.3'),
  environment: environmentSchema,
  regions: z.array(z.string()).min(1).optional(),
  requestedBy: z.string().min(1),
});

const rollbackSchema = z.strictObject({ requestedBy: z.string().min(1) });

const filterSchema = z.object({
  service: z.string().optional(),
  environment: environmentSchema.optional(),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']).optional(),
  idempotencyKey: z.string().min(1).max(255).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const byId = z.object({ id: z.string() });

/** Starts, shows, cancels and undoes deployments. */
export function createDeploymentApi(options: {
  deployments: Deployments;
  guard: ScopeGuard;
}): FastifyInstance {
  const { deployments } = options;
  const app = createJsonService();
  const read = { onRequest: options.guard('platform:read') };
  const deploy = { onRequest: options.guard('platform:deploy') };
  const byKey = new Map<string, { body: string; id: string }>();

  app.post('/v1/deployments', deploy, (request, reply) => {
    const key = parse(
      z.string({ error: 'Idempotency-Key header is required' }).min(1).max(255),
      request.headers['idempotency-key'],
    );
    const deployment = parse(bodySchema, request.body);
    const body = JSON.stringify(deployment);
    const earlier = byKey.get(key);
    if (earlier && earlier.body !== body) {
      throw new Problem(422, 'This Idempotency-Key was used with another body.', {
        type: 'idempotency-key-reused',
      });
    }
    if (earlier) {
      return deployments.get(earlier.id);
    }
    const started = deployments.start(deployment);
    byKey.set(key, { body, id: started.id });
    return reply.code(201).header('location', `/v1/deployments/${started.id}`).send(started);
  });

  app.get('/v1/deployments', read, (request) => {
    const { service, environment, state, idempotencyKey, limit } = parse(filterSchema, request.query);
    return {
      deployments: deployments
        .list()
        .filter((deployment) => service === undefined || deployment.service === service)
        .filter((deployment) => environment === undefined || deployment.environment === environment)
        .filter((deployment) => state === undefined || deployment.state === state)
        .filter(({ id }) => idempotencyKey === undefined || byKey.get(idempotencyKey)?.id === id)
        .slice(0, limit),
    };
  });

  app.get('/v1/deployments/:id', read, (request) => deployments.get(parse(byId, request.params).id));

  app.post('/v1/deployments/:id/cancel', deploy, (request) =>
    deployments.cancel(parse(byId, request.params).id),
  );

  app.post('/v1/deployments/:id/rollback', deploy, (request, reply) => {
    const { id } = parse(byId, request.params);
    const { deployment, isNew } = deployments.rollback(id, parse(rollbackSchema, request.body).requestedBy);
    return reply.code(isNew ? 201 : 200).send(deployment);
  });

  return app;
}
