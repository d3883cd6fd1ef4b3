import { callFor, callOptionsFor, type Client } from '@mcp-parts/resilient-client';
import { defineResource } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { completeEnvironment, serviceCompleter } from '../completion.ts';
import { READ_PERMISSION } from '../deployment/permissions.ts';
import { environmentSchema, serviceSchema } from '../deployment/schemas.ts';
import { getConfiguration, listServices } from '../platform/endpoints.ts';

// Three entries for each service; a list has to fit into one output.
const MAX_SERVICES_LISTED = 100;

/** `deployment://config/{service}/{environment}`: what runs where, from the configuration service. */
export function createDeploymentConfig({ configuration }: { readonly configuration: Client }) {
  return defineResource({
    name: 'deployment_config',
    toolset: 'services',
    title: 'Deployment configuration',
    description: `Version, regions, replicas, settings and dependencies of a service in one environment. The list shows the first ${MAX_SERVICES_LISTED} services.`,
    uriTemplate: 'deployment://config/{service}/{environment}',
    parameters: z.strictObject({ service: serviceSchema, environment: environmentSchema }),
    permission: READ_PERMISSION,
    complete: { service: serviceCompleter(configuration), environment: completeEnvironment },
    audit: ({ service, environment }) => ({ resource: `${service}/${environment}` }),
    async list(context) {
      const { services } = await callFor(context, configuration, listServices, {});
      return services.slice(0, MAX_SERVICES_LISTED).flatMap(({ name }) =>
        environmentSchema.options.map((environment) => ({
          uri: `deployment://config/${encodeURIComponent(name)}/${environment}`,
          name: `${name}/${environment}`,
        })),
      );
    },
    async read({ service, environment }, context) {
      const input = { params: { service, environment } };
      const result = await configuration.call(getConfiguration, input, callOptionsFor(context));
      if (!result.ok && result.error.code === 'not_found') {
        return undefined;
      }
      if (!result.ok) {
        throw result.error;
      }
      return { service, environment, ...result.data };
    },
  });
}
