import type { Client } from '@mcp-parts/resilient-client';
import { defineResource } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { upstreamCallOptions } from './backend-call.ts';
import { completeEnvironment, serviceCompleter } from './completion.ts';
import { getConfiguration, listServices } from './endpoints.ts';
import { readPermission } from './permissions.ts';
import { environmentSchema, serviceSchema } from './schemas.ts';

// Three entries for each service; a list has to fit into an answer.
const mostServicesListed = 100;

export function createDeploymentConfig({ configuration }: { configuration: Client }) {
  return defineResource({
    name: 'deployment_config',
    title: 'Deployment configuration',
    description: `Version, regions, replicas, settings and dependencies of a service in one environment. The list shows the first ${mostServicesListed} services.`,
    uriTemplate: 'deployment://config/{service}/{environment}',
    parameters: z.strictObject({ service: serviceSchema, environment: environmentSchema }),
    permission: readPermission,
    complete: { service: serviceCompleter(configuration), environment: completeEnvironment },
    audit: ({ service, environment }) => ({ resource: `${service}/${environment}` }),
    async list(context) {
      const result = await configuration.call(listServices, {}, upstreamCallOptions(context));
      if (!result.ok) {
        throw result.error;
      }
      const { services } = result.data;
      return services.slice(0, mostServicesListed).flatMap(({ name }) =>
        environmentSchema.options.map((environment) => ({
          uri: `deployment://config/${encodeURIComponent(name)}/${environment}`,
          name: `${name}/${environment}`,
        })),
      );
    },
    async read({ service, environment }, context) {
      const input = { params: { service, environment } };
      const result = await configuration.call(getConfiguration, input, upstreamCallOptions(context));
      if (!result.ok && result.error.code === 'not_found') return undefined;
      if (!result.ok) {
        throw result.error;
      }
      return { service, environment, ...result.data };
    },
  });
}
