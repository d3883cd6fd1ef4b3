import { defineEndpoint } from '@mcp-parts/resilient-client';
import { foreignText } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { deploymentWindowSchema } from '../deployment/deployment-window.ts';
import { deploymentTargetSchema, environmentSchema } from '../deployment/schemas.ts';

// A check waits for two answers one after the other, within a tool's 30 s.
const quickRead = { deadlineMs: 12_000, attemptTimeoutMs: 5_000 };

const NO_ACCESS =
  'This server may not read that. Do not try again; tell the person you work for to ask the operator of this server.';
// What to do next stands beside it, in the finding of the check.
const UNKNOWN_SERVICE = 'The configuration service does not know that service there.';

/** Every service of the platform. */
export const listServices = defineEndpoint({
  id: 'configuration.list_services',
  method: 'GET',
  path: '/v1/services',
  response: z.object({
    services: z.array(
      z.object({
        name: z.string(),
        description: foreignText(160),
        ownerTeam: foreignText(50),
        tier: z.number(),
      }),
    ),
  }),
  explain: { 403: NO_ACCESS },
  policy: quickRead,
});

const NO_SUCH_SERVICE =
  'Nothing was deleted: there is no such service. Call list_services for the names that exist; do not guess.';

/** One service of the platform. */
export const getService = defineEndpoint({
  id: 'configuration.get_service',
  method: 'GET',
  path: '/v1/services/{service}',
  response: z.object({ description: foreignText(160), ownerTeam: foreignText(50), tier: z.number() }),
  explain: { 403: NO_ACCESS, 404: NO_SUCH_SERVICE },
  policy: quickRead,
});

/** The services that call a service. */
export const getDependants = defineEndpoint({
  id: 'configuration.get_dependants',
  method: 'GET',
  path: '/v1/services/{service}/dependants',
  response: z.object({ dependants: z.array(foreignText(50)) }),
  explain: { 403: NO_ACCESS, 404: NO_SUCH_SERVICE },
  policy: quickRead,
});

/** Removes a service that no other calls. */
export const deleteService = defineEndpoint({
  id: 'configuration.delete_service',
  method: 'DELETE',
  path: '/v1/services/{service}',
  response: z.object({}),
  explain: {
    403: 'This server may not delete that service. Do not try again; tell the person to ask the operator of this server.',
    404: NO_SUCH_SERVICE,
    409: 'Nothing was deleted: other services still depend on it. Tell the person: their teams have to stop calling it first.',
  },
});

/** What runs in one environment, and how it is set up. */
export const getConfiguration = defineEndpoint({
  id: 'configuration.get_configuration',
  method: 'GET',
  path: '/v1/services/{service}/environments/{environment}/configuration',
  response: z.object({
    version: foreignText(64),
    versionByRegion: z.record(z.string(), foreignText(64)).optional(),
    regions: z.array(foreignText(50)),
    replicas: z.number(),
    settings: z.record(z.string(), z.json()),
    dependencies: z.array(z.string()),
    updatedAt: foreignText(40),
  }),
  explain: { 403: NO_ACCESS, 404: UNKNOWN_SERVICE },
  policy: quickRead,
});

/** Whether a version fits what runs in an environment. */
export const getCompatibility = defineEndpoint({
  id: 'configuration.get_compatibility',
  method: 'GET',
  path: '/v1/services/{service}/versions/{version}/compatibility',
  query: z.object({ environment: environmentSchema }),
  response: z.object({ compatible: z.boolean(), reasons: z.array(foreignText(300)).default([]) }),
  explain: { 403: NO_ACCESS, 404: UNKNOWN_SERVICE },
  policy: quickRead,
});

/** The services that a service calls. */
export const getDependencies = defineEndpoint({
  id: 'configuration.get_dependencies',
  method: 'GET',
  path: '/v1/services/{service}/dependencies',
  response: z.object({ dependencies: z.array(z.string()) }),
  explain: { 403: NO_ACCESS, 404: UNKNOWN_SERVICE },
  policy: quickRead,
});

/** How a service does in one environment, or in one region of it. */
export const getHealth = defineEndpoint({
  id: 'configuration.get_health',
  method: 'GET',
  path: '/v1/services/{service}/environments/{environment}/health',
  query: z.object({ region: z.string().optional() }),
  response: z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    checkedAt: foreignText(40),
    detail: foreignText(200).default(''),
  }),
  explain: { 403: NO_ACCESS, 404: UNKNOWN_SERVICE },
  policy: quickRead,
});

/** When an environment takes deployments; 404 where nobody has said so. */
export const getDeploymentWindow = defineEndpoint({
  id: 'configuration.get_deployment_window',
  method: 'GET',
  path: '/v1/environments/{environment}/deployment-window',
  response: deploymentWindowSchema,
  explain: { 403: NO_ACCESS },
  policy: quickRead,
});

const deploymentSchema = z.object({
  id: z.string().regex(/^[\w.-]{1,100}$/),
  version: foreignText(64),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  progress: z.object({
    percent: z.number(),
    regions: z.array(z.object({ region: foreignText(50), state: foreignText(20), percent: z.number() })),
  }),
  failure: z.object({ region: foreignText(50), reason: foreignText(300) }).optional(),
});

/** A deployment as the deployment API shows it. */
export type Deployment = z.output<typeof deploymentSchema>;

/** Starts a deployment; every repetition with the same key is the same deployment. */
export const createDeployment = defineEndpoint({
  id: 'deployments.create',
  method: 'POST',
  path: '/v1/deployments',
  replay: 'key',
  body: deploymentTargetSchema.extend({ regions: z.array(z.string()), requestedBy: z.string() }),
  response: deploymentSchema,
  explain: {
    403: 'This server may not deploy that service to that environment. Do not try again; tell the person you work for to ask the owner of the service for access.',
    404: 'The deployment API does not know that service in that environment. Call list_services for the names that exist.',
    409: 'Another deployment of that service is active in that environment. Wait until it has ended, run check_deployment_prerequisites, and ask the person again before you trigger.',
  },
});

/** The deployment that was started with an idempotency key, if there is one. */
export const findDeployments = defineEndpoint({
  id: 'deployments.find',
  method: 'GET',
  path: '/v1/deployments',
  query: z.object({ idempotencyKey: z.string() }),
  response: z.object({ deployments: z.array(deploymentSchema) }),
  explain: { 403: NO_ACCESS },
  policy: quickRead,
});

/** A deployment as it stands now. */
export const getDeployment = defineEndpoint({
  id: 'deployments.get',
  method: 'GET',
  path: '/v1/deployments/{id}',
  response: deploymentSchema,
  explain: { 403: NO_ACCESS, 404: 'The deployment API does not know this deployment any more.' },
  policy: quickRead,
});

/** Stops a deployment that is queued or running. */
export const cancelDeployment = defineEndpoint({
  id: 'deployments.cancel',
  method: 'POST',
  path: '/v1/deployments/{id}/cancel',
  // Cancelling twice is cancelling once: the second answer is a 409.
  replay: 'idempotent',
  response: deploymentSchema,
  policy: quickRead,
});

/** Brings what ran before back to where an ended deployment has changed it. */
export const rollBackDeployment = defineEndpoint({
  id: 'deployments.roll_back',
  method: 'POST',
  path: '/v1/deployments/{id}/rollback',
  // A deployment is undone once: the second answer is the first.
  replay: 'idempotent',
  body: z.object({ requestedBy: z.string() }),
  response: deploymentSchema,
  explain: { 403: NO_ACCESS },
});
