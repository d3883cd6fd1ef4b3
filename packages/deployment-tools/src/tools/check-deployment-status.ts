import { createErrors, defineTool, type Task } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { READ_PERMISSION } from '../deployment/permissions.ts';
import { deploymentTargetSchema, taskIdSchema } from '../deployment/schemas.ts';
import { DEPLOYMENT_TASK_KIND } from '../task/deployment-task.ts';

const errors = createErrors({
  unknown_task: {
    when: 'There is no deployment with this taskId that you started',
    whatToDo: 'Use the taskId that trigger_deployment returned; do not trigger again to get one.',
  },
});

/** `check_deployment_status`: state and progress of a deployment task, for the caller who started it. */
export function createCheckDeploymentStatus() {
  return defineTool({
    name: 'check_deployment_status',
    toolset: 'deployments',
    title: 'Check deployment status',
    description:
      'Shows state and progress by region of a deployment that you started with trigger_deployment, and what to do next.',
    input: z.strictObject({ taskId: taskIdSchema }),
    output: z.object({
      deployment: z.string(),
      state: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']),
      percent: z.number(),
      message: z.string(),
      errorCode: z.string().optional(),
      nextStep: z.string(),
    }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: READ_PERMISSION,
    errors,
    audit: ({ taskId }) => ({ arguments: { taskId } }),
    async handle({ taskId }, { caller, tasks }) {
      const task = await tasks.get(taskId, caller.id);
      if (task?.kind !== DEPLOYMENT_TASK_KIND) {
        throw errors.unknown_task();
      }
      // What trigger_deployment stored has this shape; loose, because an earlier version may have stored more.
      const { service, version, environment } = z.object(deploymentTargetSchema.shape).parse(task.input);
      return {
        deployment: `${service} ${version} to ${environment}`,
        state: task.state,
        percent: task.progress.percent,
        message: task.error?.message ?? (task.progress.message || 'Waiting to start.'),
        errorCode: task.error?.code,
        nextStep: nextStepOf(task.state),
      };
    },
    text: ({ deployment, state, percent, message }) => `${deployment}: ${state}, ${percent} %. ${message}`,
  });
}

function nextStepOf(state: Task['state']): string {
  switch (state) {
    case 'queued':
    case 'running':
      return 'Check again in 5 s; do not trigger it again.';
    case 'completed':
      return 'Tell the person that it is deployed.';
    case 'failed':
      return 'Tell the person why. Do not trigger it again unless the cause is gone and the person asks for it.';
    case 'cancelled':
      return 'Tell the person. Trigger it again only if they ask for it.';
    default:
      return state satisfies never;
  }
}
