import { callFor, type Client } from '@mcp-parts/resilient-client';
import { defineTool, PublicError, type CallContext } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { DELETE_PERMISSION } from '../deployment/permissions.ts';
import { serviceSchema } from '../deployment/schemas.ts';
import { deleteService, getDependants, getService } from '../platform/endpoints.ts';

/** `delete_service`: removes a service that nothing depends on, once a person has typed its name. */
export function createDeleteService({ configuration }: { readonly configuration: Client }) {
  return defineTool({
    name: 'delete_service',
    toolset: 'services',
    title: 'Delete service',
    description: 'Deletes a service that no other depends on, for good, once the person typed its name.',
    input: z.strictObject({ service: serviceSchema }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: DELETE_PERMISSION,
    onUnavailable: 'deny',
    audit: ({ service }) => ({ resource: service, arguments: { service }, urgent: true }),
    async confirm({ service }, context) {
      const { description, ownerTeam, tier } = await unusedService(service, context, configuration);
      return {
        message: `Delete ${service} (team ${ownerTeam}, tier ${tier}: ${description}) from all environments? It cannot be brought back.`,
        typedName: service,
      };
    },
    async handle({ service }, context) {
      // The configuration service looks for dependants too, in the same moment.
      await callFor(context, configuration, deleteService, { params: { service } });
      return `${service} is deleted from all environments.`;
    },
  });
}

/** @throws {PublicError} `not_found`, `service_in_use`, so that nobody is asked in vain */
async function unusedService(service: string, context: CallContext, configuration: Client) {
  const input = { params: { service } };
  const found = await callFor(context, configuration, getService, input);
  const { dependants } = await callFor(context, configuration, getDependants, input);
  if (dependants.length > 0) {
    const nextStep = 'Tell the person: the teams of those services have to stop calling it first.';
    throw new PublicError(
      'service_in_use',
      `${service} was not deleted: ${dependants.slice(0, 10).join(', ')}${dependants.length > 10 ? ` and ${dependants.length - 10} more` : ''} still depend on it. ${nextStep}`,
      { nextStep },
    );
  }
  return found;
}
