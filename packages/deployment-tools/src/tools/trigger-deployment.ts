import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { deploy, type DeployOptions } from '../deploy/deploy.ts';
import { deployPermission, READ_PERMISSION } from '../deployment/permissions.ts';
import { deploymentTargetSchema, idempotencyKeySchema } from '../deployment/schemas.ts';

/** `trigger_deployment`: deploys, and goes on when the call is answered. */
export function createTriggerDeployment(options: DeployOptions) {
  return defineTool({
    name: 'trigger_deployment',
    toolset: 'deployments',
    title: 'Trigger deployment',
    description:
      'Starts the deployment of a version and answers at once with a taskId; follow it with check_deployment_status. Ask the person to confirm before you call it. Prerequisites are checked again and must pass.',
    input: deploymentTargetSchema.extend({ idempotencyKey: idempotencyKeySchema.optional() }),
    output: z.object({
      deploymentId: z.string(),
      // Not the rules of the input: every byte of a list is read on every turn.
      service: z.string(),
      version: z.string(),
      environment: z.string(),
      regions: z.array(z.object({ region: z.string(), state: z.string(), percent: z.number() })),
    }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
    permission: deployPermission,
    audit: ({ service, version, environment }) => ({
      resource: `${service}/${environment}`,
      arguments: { service, version, environment },
      urgent: environment === 'production',
    }),
    longRunning: {
      // The deployment API knows each deployment by the id of its task.
      onInterrupted: 'resume',
      title: ({ service, version, environment }) => `${service} ${version} to ${environment}`,
      idempotencyKey: ({ idempotencyKey }) => idempotencyKey,
      statusTool: {
        name: 'check_deployment_status',
        title: 'Check deployment status',
        description:
          'Shows state and progress by region of a deployment that you started with trigger_deployment, and what to do next.',
        permission: READ_PERMISSION,
      },
      cancelTool: {
        name: 'cancel_deployment',
        title: 'Cancel deployment',
        description:
          'Stops a deployment that you started with trigger_deployment; regions that are finished keep the new version. Ask the person before you call it.',
      },
    },
    handle: ({ service, version, environment }, context) =>
      deploy({ service, version, environment }, context, options),
    text: ({ service, version, environment, regions }) =>
      `${service} ${version} is deployed to ${environment}: ${regions.map(({ region }) => region).join(', ')}.`,
  });
}
