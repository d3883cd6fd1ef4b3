import type { Client, ClientError } from '@mcp-parts/resilient-client';
import { PublicError, type JsonObject, type TaskContext, type TaskDefinition } from '@mcp-parts/tool-kit';

import { deploymentTargetSchema, type DeploymentTarget } from '../deployment/schemas.ts';
import { cancelDeployment, createDeployment, getDeployment, type Deployment } from '../platform/endpoints.ts';
import { refusalText } from '../prerequisites/prerequisites-text.ts';
import { checkPrerequisites, type PrerequisiteSources } from '../prerequisites/prerequisites.ts';
import { deployedResult, isEnded, progressText } from './deployment-outcome.ts';

/** The kind of task that deploys. */
export const DEPLOYMENT_TASK_KIND = 'deployment';

/** What the task needs from outside. */
export interface DeploymentTaskOptions extends PrerequisiteSources {
  readonly deployments: Client;
  /** Time between two looks at a deployment, in milliseconds. */
  readonly pollIntervalMs: number;
  /** Waits; rejects when the signal aborts. @default a timer */
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

// A deployment goes on without us, so an outage of the API between two looks is waited for this long.
const MAX_SILENCE_MS = 5 * 60_000;
// Cancelling happens after the task's own signal has aborted, and so needs its own end.
const CANCEL_LIMIT_MS = 10_000;

/**
 * Checks the prerequisites itself, starts the deployment under the task's id, and follows it to its end. When the
 * task is cancelled it cancels the deployment; when the server shuts down it leaves it running.
 */
export function createDeploymentTask(options: DeploymentTaskOptions): TaskDefinition {
  const { deployments } = options;
  return {
    kind: DEPLOYMENT_TASK_KIND,
    // A second run would meet the first run's deployment without knowing how it was left.
    onInterrupted: 'fail',
    async run(input, context) {
      const target = deploymentTargetSchema.parse(input);
      await context.progress({ percent: 0, message: 'Checking the prerequisites.' });
      const prerequisites = await checkPrerequisites(target, options, { signal: context.signal });
      if (!prerequisites.ready) {
        throw new PublicError('prerequisites_failed', refusalText(prerequisites, target));
      }
      const deployment = await start(target, context, deployments);
      try {
        return deployedResult(await follow(deployment, context, options), target);
      } catch (error) {
        if (!context.signal.aborted || isShutdown(context.signal.reason)) {
          throw error;
        }
        return await cancel(deployment, target, context, deployments);
      }
    },
  };
}

/** A server that is restarted half-way must not undo what people asked for. */
function isShutdown(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === 'interrupted';
}

async function start(
  target: DeploymentTarget,
  { taskId, ownerId, signal }: TaskContext,
  deployments: Client,
): Promise<Deployment> {
  signal.throwIfAborted();
  const result = await deployments.call(
    createDeployment,
    { body: { ...target, requestedBy: ownerId } },
    // Not the task's signal: cut off half-way, nobody would know which deployment to cancel. The client's own
    // deadline ends the call.
    { signal: new AbortController().signal, idempotencyKey: taskId },
  );
  if (!result.ok && mayHaveStarted(result.error)) {
    throw new PublicError(
      result.error.code,
      'The deployment API gave no usable answer, so the deployment may or may not have started. Ask the person to look at the deployment system before you trigger it again.',
      { cause: result.error },
    );
  }
  if (!result.ok) {
    throw result.error;
  }
  return result.data;
}

function mayHaveStarted({ sent, code }: ClientError): boolean {
  switch (code) {
    case 'timeout':
    case 'deadline_exceeded':
    case 'cancelled':
    case 'network':
    case 'server_error':
    case 'invalid_response':
    case 'response_too_large':
      return sent !== 'no';
    case 'circuit_open':
    case 'overloaded':
    case 'throttled':
    case 'unauthenticated':
    case 'forbidden':
    case 'not_found':
    case 'conflict':
    case 'rejected':
    case 'invalid_request':
      return false;
    default:
      return code satisfies never;
  }
}

async function follow(
  started: Deployment,
  context: TaskContext,
  { deployments, pollIntervalMs, wait, now }: DeploymentTaskOptions,
): Promise<Deployment> {
  const { signal } = context;
  let deployment = started;
  let seenAt = now();
  await context.progress(progressText(deployment));
  while (!isEnded(deployment)) {
    await wait(pollIntervalMs, signal);
    const result = await deployments.call(getDeployment, { params: { id: started.id } }, { signal });
    if (result.ok) {
      deployment = result.data;
      seenAt = now();
      await context.progress(progressText(deployment));
      continue;
    }
    signal.throwIfAborted();
    if (result.error.isRetryable && now() - seenAt < MAX_SILENCE_MS) {
      continue;
    }
    const reason = result.error.isRetryable
      ? 'The deployment API has not answered for 5 minutes.'
      : result.error.publicMessage;
    throw new PublicError(
      'status_unknown',
      `Deployment ${started.id} was started and may still be running, but its state is not known any more. ${reason} Ask the person to look at the deployment system; do not trigger it again.`,
      { cause: result.error },
    );
  }
  return deployment;
}

/** Returns only if the deployment had succeeded before it could be cancelled. */
async function cancel(
  deployment: Deployment,
  target: DeploymentTarget,
  context: TaskContext,
  deployments: Client,
): Promise<JsonObject> {
  const input = { params: { id: deployment.id } };
  const limits = { signal: AbortSignal.timeout(CANCEL_LIMIT_MS) };
  const result = await deployments.call(cancelDeployment, input, limits);
  if (!result.ok && result.error.code === 'conflict') {
    const shown = await deployments.call(getDeployment, input, limits);
    if (!shown.ok) {
      throw shown.error;
    }
    return deployedResult(shown.data, target);
  }
  const message = result.ok
    ? `Deployment ${deployment.id} was cancelled; regions that were finished keep the new version.`
    : `Deployment ${deployment.id} could not be cancelled and may still be running. Ask the person to cancel it in the deployment system.`;
  // A cancelled task shows its last progress and no error.
  await context.progress({ percent: deployment.progress.percent, message });
  throw new PublicError(result.ok ? 'cancelled' : 'cancel_failed', message, {
    cause: result.ok ? undefined : result.error,
  });
}
