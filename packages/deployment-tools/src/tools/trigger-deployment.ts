import { callOptionsFor } from '@mcp-parts/resilient-client';
import { defineTool, PublicError, type CallContext, type Confirmation } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { deploy, type DeployRequest } from '../deploy/deploy.ts';
import type { DeployOptions } from '../deploy/run.ts';
import { APPROVE_PERMISSION, deployPermission, READ_PERMISSION } from '../deployment/permissions.ts';
import type { DeploymentRules } from '../deployment/rules.ts';
import { deploymentTargetSchema, idempotencyKeySchema, regionsSchema } from '../deployment/schemas.ts';
import { getConfiguration } from '../platform/endpoints.ts';

/** What the tool needs from outside. */
export interface TriggerOptions extends DeployOptions {
  readonly rules: DeploymentRules;
}

/** `trigger_deployment`: deploys, and goes on when the call is answered. */
export function createTriggerDeployment(options: TriggerOptions) {
  const { rules } = options;
  return defineTool({
    name: 'trigger_deployment',
    toolset: 'deployments',
    title: 'Trigger deployment',
    description:
      'Deploys a version region by region, while each is healthy. Answers at once with a taskId for check_deployment_status. Ask the person first; the server may ask too.',
    input: deploymentTargetSchema.extend({
      regions: regionsSchema.optional(),
      rollBackOnFailure: z.boolean('must be true or false').optional().describe('Or finished regions stay.'),
      idempotencyKey: idempotencyKeySchema.optional(),
    }),
    output: z.object({
      // Not the rules of the input: every byte of a list is read on every turn.
      service: z.string(),
      version: z.string(),
      environment: z.string(),
      regions: z.array(z.string()),
      deploymentIds: z.array(z.string()),
    }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
    permission: deployPermission,
    audit: ({ service, version, environment, regions, rollBackOnFailure }) => ({
      resource: `${service}/${environment}`,
      arguments: {
        service,
        version,
        environment,
        ...(regions !== undefined && { regions }),
        ...(rollBackOnFailure !== undefined && { rollBackOnFailure }),
      },
      urgent: environment === 'production',
    }),
    confirm: (input, context) => confirmationOf(input, context, options),
    approval: {
      permission: APPROVE_PERMISSION,
      name: 'approve_deployment',
      title: 'Approve deployment',
      description: 'Approves or declines what others want to deploy; the person is asked.',
    },
    longRunning: {
      // The deployment API knows the deployment to each region by the id of the task.
      onInterrupted: 'resume',
      title: ({ service, version, environment }) => `${service} ${version} to ${environment}`,
      idempotencyKey: ({ idempotencyKey }) => idempotencyKey,
      statusTool: {
        name: 'check_deployment_status',
        title: 'Check deployment status',
        description: 'Shows state and progress by region of a deployment you started, and what to do next.',
        permission: READ_PERMISSION,
      },
      cancelTool: {
        name: 'cancel_deployment',
        title: 'Cancel deployment',
        description:
          'Stops a deployment you started; finished regions keep the new version. Ask the person first.',
      },
    },
    handle: ({ service, version, environment, regions, rollBackOnFailure }, context) =>
      deploy(
        {
          service,
          version,
          environment,
          regions,
          rollBackOnFailure: rollBackOnFailure ?? rules.rollBackOnFailure[environment],
        },
        context,
        options,
      ),
    text: ({ service, version, environment, regions }) =>
      `${service} ${version} is deployed to ${environment}: ${regions.join(', ')}.`,
  });
}

/** What a person agrees to: this version in place of what runs there now. */
async function confirmationOf(
  { service, version, environment, regions }: Omit<DeployRequest, 'rollBackOnFailure'>,
  context: CallContext,
  { configuration, rules }: TriggerOptions,
): Promise<Confirmation | undefined> {
  const level = rules.confirmation[environment];
  if (level === 'none') {
    return undefined;
  }
  const input = { params: { service, environment } };
  const result = await configuration.call(getConfiguration, input, callOptionsFor(context));
  if (!result.ok && result.error.code === 'not_found') {
    const nextStep = 'Call list_services for the names that exist; do not guess.';
    throw new PublicError('not_found', `Nothing was deployed: ${result.error.publicMessage} ${nextStep}`, {
      cause: result.error,
      nextStep,
    });
  }
  if (!result.ok) {
    throw result.error;
  }
  const now = result.data;
  const where = (regions ?? now.regions).join(', ');
  return {
    message: `Deploy ${service} ${version} to ${environment} (${where}), in place of ${now.version}?`,
    version: now.updatedAt,
    typedName: level === 'typed_name' ? service : undefined,
    secondPerson: level === 'second_person',
  };
}
