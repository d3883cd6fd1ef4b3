import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import type { FaultSwitch } from './fault-switch.ts';
import type { Platform } from './platform/platform.ts';
import { deploymentWindowSchema, environmentSchema, healthSchema } from './platform/types.ts';
import { type Fault, faultSchema, sandboxServices } from './wire/faults.ts';
import { createJsonService, parse } from './wire/json-service.ts';

const onService = z.object({ service: z.enum(sandboxServices) });
const onEnvironment = z.object({ environment: environmentSchema });

/** Switches faults, health and deployment windows over HTTP; it takes no token and has no faults itself. */
export function createControlService(options: { faults: FaultSwitch; platform: Platform }): FastifyInstance {
  const { faults, platform } = options;
  const app = createJsonService();

  app.get('/faults', (): Record<string, Fault> => faults.current());

  app.put('/faults/:service', async (request, reply) => {
    await faults.set(parse(onService, request.params).service, parse(faultSchema, request.body));
    return reply.code(204).send();
  });

  app.delete('/faults/:service', async (request, reply) => {
    await faults.clear(parse(onService, request.params).service);
    return reply.code(204).send();
  });

  app.put('/health/:service/:environment', (request, reply) => {
    const { service, environment } = parse(onEnvironment.extend({ service: z.string() }), request.params);
    const { region } = parse(z.object({ region: z.string().optional() }), request.query);
    platform.setHealth(service, environment, parse(healthSchema, request.body), region);
    return reply.code(204).send();
  });

  app.put('/deployment-window/:environment', (request, reply) => {
    const { environment } = parse(onEnvironment, request.params);
    platform.setDeploymentWindow(environment, parse(deploymentWindowSchema, request.body));
    return reply.code(204).send();
  });

  return app;
}
