import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import { createJsonService, parse } from '../wire/json-service.ts';
import type { ScopeGuard } from '../wire/scope-guard.ts';
import type { Platform } from './platform.ts';
import { environmentSchema, type ServiceSeed } from './types.ts';

const inService = z.object({ service: z.string() });
const inEnvironment = inService.extend({ environment: environmentSchema });

/** What runs where, what fits what, and when an environment takes deployments. */
export function createConfigurationService(options: {
  platform: Platform;
  guard: ScopeGuard;
  now: () => Date;
}): FastifyInstance {
  const { platform, now } = options;
  const app = createJsonService();
  const read = { onRequest: options.guard('platform:read') };
  const change = { onRequest: options.guard('platform:deploy') };

  app.get('/v1/services', read, () => ({ services: platform.services().map(summary) }));

  app.get('/v1/services/:service', read, (request) =>
    summary(platform.service(parse(inService, request.params).service)),
  );

  app.delete('/v1/services/:service', change, (request) =>
    summary(platform.remove(parse(inService, request.params).service)),
  );

  app.get('/v1/services/:service/dependants', read, (request) => ({
    dependants: platform.dependants(parse(inService, request.params).service),
  }));

  app.get('/v1/services/:service/dependencies', read, (request) => ({
    dependencies: platform.service(parse(inService, request.params).service).dependencies,
  }));

  app.get('/v1/services/:service/versions/:version/compatibility', read, (request) => {
    const { service, version } = parse(inService.extend({ version: z.string() }), request.params);
    const { environment } = parse(z.object({ environment: environmentSchema }), request.query);
    const reasons = platform.incompatibilities(service, version, environment);
    return { compatible: reasons.length === 0, reasons };
  });

  app.get('/v1/services/:service/environments/:environment/configuration', read, (request) => {
    const { service, environment } = parse(inEnvironment, request.params);
    return platform.configuration(service, environment);
  });

  app.get('/v1/services/:service/environments/:environment/health', read, (request) => {
    const { service, environment } = parse(inEnvironment, request.params);
    const { region } = parse(z.object({ region: z.string().optional() }), request.query);
    const { status, detail } = platform.health(service, environment, region);
    return { status, checkedAt: now().toISOString(), detail: detail ?? 'All checks pass.' };
  });

  app.get('/v1/environments/:environment/deployment-window', read, (request) =>
    platform.deploymentWindow(parse(inEnvironment.pick({ environment: true }), request.params).environment),
  );

  return app;
}

function summary({ name, description, ownerTeam, tier }: ServiceSeed): object {
  return { name, description, ownerTeam, tier };
}
