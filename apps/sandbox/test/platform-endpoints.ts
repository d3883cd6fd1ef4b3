// Made from openapi.yaml by mcp-endpoints. Change the document, not this file.

import { defineEndpoint } from '@mcp-parts/resilient-client';
import { z } from 'zod';

const Service = z.object({ name: z.string(), description: z.string(), ownerTeam: z.string(), tier: z.int() });

const Environment = z.enum(['development', 'staging', 'production']);

const Configuration = z.object({
  service: z.string(),
  environment: Environment,
  version: z.string(),
  versionByRegion: z.record(z.string(), z.string()).optional(),
  regions: z.array(z.string()),
  replicas: z.int().min(0),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  dependencies: z.array(z.string()),
  updatedAt: z.iso.datetime({ offset: true }),
});

const TimeOfDay = z.string().regex(new RegExp('^([01]\\d|2[0-3]):[0-5]\\d$', 'u'));

const DeploymentWindow = z.union([
  z.object({ always: z.literal(true) }),
  z.object({
    always: z.literal(false),
    timeZone: z.string(),
    days: z.array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])),
    opensAt: TimeOfDay,
    closesAt: TimeOfDay,
  }),
]);

const DeploymentState = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);

const Percent = z.number().min(0).max(100);

const Deployment = z.object({
  id: z.string(),
  service: z.string(),
  version: z.string(),
  environment: Environment,
  requestedBy: z.string(),
  rollbackOf: z.string().optional(),
  state: DeploymentState,
  progress: z.object({
    percent: Percent,
    regions: z.array(
      z.object({
        region: z.string(),
        replaces: z.string(),
        state: z.enum(['pending', 'running', 'succeeded', 'failed', 'cancelled']),
        percent: Percent,
      }),
    ),
  }),
  failure: z.object({ region: z.string(), reason: z.string() }).optional(),
  createdAt: z.iso.datetime({ offset: true }),
  updatedAt: z.iso.datetime({ offset: true }),
});

const DeploymentRequest = z.strictObject({
  service: z.string().min(1),
  version: z
    .string()
    .regex(new RegExp('^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.\\-]+)?(\\+[0-9A-Za-z.\\-]+)?$', 'u')),
  environment: Environment,
  regions: z.array(z.string()).min(1).optional(),
  requestedBy: z.string().min(1),
});

/** Lists the services of the platform. */
export const servicesList = defineEndpoint({
  id: 'services.list',
  method: 'GET',
  path: '/v1/services',
  response: z.object({ services: z.array(Service) }),
});

/** Describes one service. */
export const servicesGet = defineEndpoint({
  id: 'services.get',
  method: 'GET',
  path: '/v1/services/{service}',
  response: Service,
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Removes a service that no other calls, from all environments and for good. */
export const servicesDelete = defineEndpoint({
  id: 'services.delete',
  method: 'DELETE',
  path: '/v1/services/{service}',
  response: Service,
  explain: {
    404: 'There is no service of this name. List the services to find the right one.',
    409: 'Other services still call this one. Remove those dependencies before you delete it.',
  },
});

/** Lists the services that call a service. */
export const servicesDependants = defineEndpoint({
  id: 'services.dependants',
  method: 'GET',
  path: '/v1/services/{service}/dependants',
  response: z.object({ dependants: z.array(z.string()) }),
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Names the services that this one calls. */
export const servicesDependencies = defineEndpoint({
  id: 'services.dependencies',
  method: 'GET',
  path: '/v1/services/{service}/dependencies',
  response: z.object({ dependencies: z.array(z.string()) }),
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Tells whether a version works in an environment, and if not, why. */
export const servicesCompatibility = defineEndpoint({
  id: 'services.compatibility',
  method: 'GET',
  path: '/v1/services/{service}/versions/{version}/compatibility',
  query: z.strictObject({ environment: Environment }),
  response: z.object({ compatible: z.boolean(), reasons: z.array(z.string()) }),
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Shows what runs of a service in an environment, and with which settings. */
export const servicesConfiguration = defineEndpoint({
  id: 'services.configuration',
  method: 'GET',
  path: '/v1/services/{service}/environments/{environment}/configuration',
  response: Configuration,
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Tells how a service does in an environment, or in one region of it. */
export const servicesHealth = defineEndpoint({
  id: 'services.health',
  method: 'GET',
  path: '/v1/services/{service}/environments/{environment}/health',
  query: z.strictObject({ region: z.string().optional() }),
  response: z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    checkedAt: z.iso.datetime({ offset: true }),
    detail: z.string(),
  }),
  explain: { 404: 'There is no service of this name. List the services to find the right one.' },
});

/** Tells when an environment takes deployments. Keeping to it is the caller's business. */
export const environmentsDeploymentWindow = defineEndpoint({
  id: 'environments.deploymentWindow',
  method: 'GET',
  path: '/v1/environments/{environment}/deployment-window',
  response: DeploymentWindow,
});

/** Lists deployments, the newest first. */
export const deploymentsList = defineEndpoint({
  id: 'deployments.list',
  method: 'GET',
  path: '/v1/deployments',
  query: z.strictObject({
    service: z.string().optional(),
    environment: Environment.optional(),
    state: DeploymentState.optional(),
    idempotencyKey: z.string().min(1).max(255).optional(),
    limit: z.int().min(1).max(200).optional(),
  }),
  response: z.object({ deployments: z.array(Deployment) }),
});

/** Starts a deployment; the same key and body once more answer with the deployment that was started. */
export const deploymentsCreate = defineEndpoint({
  id: 'deployments.create',
  method: 'POST',
  path: '/v1/deployments',
  body: DeploymentRequest,
  response: Deployment,
  replay: 'key',
  explain: {
    404: 'There is no service of this name. List the services to find the right one.',
    409: 'Another deployment of this service is active there. Follow or cancel it before you start one.',
  },
});

/** Shows a deployment. */
export const deploymentsGet = defineEndpoint({
  id: 'deployments.get',
  method: 'GET',
  path: '/v1/deployments/{id}',
  response: Deployment,
  explain: { 404: 'There is no deployment with this id. List the deployments to find the right one.' },
});

/** Cancels a deployment that has not ended. */
export const deploymentsCancel = defineEndpoint({
  id: 'deployments.cancel',
  method: 'POST',
  path: '/v1/deployments/{id}/cancel',
  response: Deployment,
  explain: {
    404: 'There is no deployment with this id. List the deployments to find the right one.',
    409: 'This deployment has already ended, so there is nothing to cancel. Do not try again.',
  },
});

/** Brings back what ran before, wherever an ended deployment has changed it; once more answers with the same. */
export const deploymentsRollback = defineEndpoint({
  id: 'deployments.rollback',
  method: 'POST',
  path: '/v1/deployments/{id}/rollback',
  body: z.strictObject({ requestedBy: z.string().min(1) }),
  response: Deployment,
  explain: {
    404: 'There is no deployment with this id. List the deployments to find the right one.',
    409: 'This deployment cannot be undone now. Look at its state and at the others of this service first.',
  },
});
