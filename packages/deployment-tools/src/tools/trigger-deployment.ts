import { createErrors, defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { deployPermission } from '../deployment/permissions.ts';
import { deploymentTargetSchema, idempotencyKeySchema } from '../deployment/schemas.ts';
import { DEPLOYMENT_TASK_KIND } from '../task/deployment-task.ts';

const errors = createErrors({
  idempotency_conflict: {
    when: 'Nothing was deployed: this idempotencyKey belongs to a deployment of something else',
    whatToDo: 'Use a new key.',
  },
});

/** `trigger_deployment`: starts the task that deploys. It asks no upstream itself, so it returns at once. */
export function createTriggerDeployment() {
  return defineTool({
    name: 'trigger_deployment',
    toolset: 'deployments',
    title: 'Trigger deployment',
    description:
      'Starts the deployment of a version and answers at once with a taskId; follow it with check_deployment_status. Ask the person to confirm before you call it. Prerequisites are checked again and must pass.',
    input: deploymentTargetSchema.extend({ idempotencyKey: idempotencyKeySchema.optional() }),
    output: z.object({ taskId: z.string(), state: z.string(), nextStep: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
    permission: deployPermission,
    errors,
    audit: ({ service, version, environment }) => ({
      resource: `${service}/${environment}`,
      arguments: { service, version, environment },
      urgent: environment === 'production',
    }),
    async handle({ idempotencyKey, ...target }, { caller, tasks }) {
      const task = await tasks.start({
        kind: DEPLOYMENT_TASK_KIND,
        input: target,
        ownerId: caller.id,
        idempotencyKey,
      });
      const sameTarget = Object.entries(target).every(([name, value]) => task.input[name] === value);
      if (!sameTarget) {
        throw errors.idempotency_conflict();
      }
      return {
        taskId: task.id,
        state: task.state,
        nextStep:
          'Call check_deployment_status with this taskId in 5 s, until it has ended. Do not trigger it again.',
      };
    },
    text: ({ taskId, state }, { service, version, environment }) =>
      `The deployment of ${service} ${version} to ${environment} is task ${taskId}, now ${state}.`,
  });
}
