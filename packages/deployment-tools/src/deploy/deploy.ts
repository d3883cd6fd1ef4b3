import { callOptionsFor, type Client, type ClientError } from '@mcp-parts/resilient-client';
import { PublicError, type CallContext } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import {
  cancelDeployment,
  createDeployment,
  findDeployments,
  getDeployment,
  type Deployment,
} from '../platform/endpoints.ts';
import { refusalText } from '../prerequisites/prerequisites-text.ts';
import { checkPrerequisites, type PrerequisiteSources } from '../prerequisites/prerequisites.ts';
import { deployedResult, isEnded, regionsText, type Deployed } from './deployment-outcome.ts';

/** What a deployment needs from outside. */
export interface DeployOptions extends PrerequisiteSources {
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
 * Checks the prerequisites itself, starts the deployment under the task's id, and follows it to its end. A later run finds
 * by that id what an earlier one started. When the task is cancelled it cancels the deployment; when the server stops it
 * leaves it running.
 */
export async function deploy(
  target: DeploymentTarget,
  context: CallContext,
  options: DeployOptions,
): Promise<Deployed> {
  const { deployments } = options;
  let deployment = await resumed(context, deployments);
  if (deployment === undefined) {
    context.signal.throwIfAborted();
    context.progress(0, 100, 'Checking the prerequisites.');
    const prerequisites = await checkPrerequisites(target, options, callOptionsFor(context));
    if (!prerequisites.ready) {
      throw new PublicError('prerequisites_failed', refusalText(prerequisites, target));
    }
    deployment = await start(target, context, deployments);
  }
  try {
    return deployedResult(await follow(deployment, context, options), target);
  } catch (error) {
    if (!isCancelled(context.signal)) {
      throw error;
    }
    return await cancel(deployment, target, context, deployments);
  }
}

/** The deployment that an earlier run started, as the deployment API knows it, which is the only truth. */
async function resumed(context: CallContext, deployments: Client): Promise<Deployment | undefined> {
  const { id, attempt } = taskOf(context);
  if (attempt === 1) {
    return undefined;
  }
  const result = await deployments.call(
    findDeployments,
    { query: { idempotencyKey: id } },
    // Also what is cancelled must be found, to be undone.
    { ...callOptionsFor(context), signal: liveSignal(context) },
  );
  if (!result.ok) {
    throw new PublicError(
      'status_unknown',
      'The server was restarted, and the deployment API does not say what became of the deployment. It may be running. Ask the person to look at the deployment system; do not trigger it again.',
      { cause: result.error },
    );
  }
  return result.data.deployments[0];
}

function liveSignal({ signal }: CallContext): AbortSignal {
  return isCancelled(signal) ? AbortSignal.timeout(CANCEL_LIMIT_MS) : signal;
}

function taskOf({ task }: CallContext) {
  if (task === undefined) {
    throw new TypeError('a deployment is made in a task');
  }
  return task;
}

/** A server that is restarted half-way, or a run that took too long, must not undo what people asked for. */
function isCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Error && 'code' in reason && reason.code === 'cancelled';
}

async function start(
  target: DeploymentTarget,
  context: CallContext,
  deployments: Client,
): Promise<Deployment> {
  context.signal.throwIfAborted();
  const result = await deployments.call(
    createDeployment,
    { body: { ...target, requestedBy: context.caller.id } },
    // Not the task's signal: cut off half-way, nobody would know which deployment to cancel. The client's own
    // deadline ends the call.
    {
      ...callOptionsFor(context),
      signal: new AbortController().signal,
      idempotencyKey: taskOf(context).id,
    },
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
  context: CallContext,
  { deployments, pollIntervalMs, wait, now }: DeployOptions,
): Promise<Deployment> {
  const { signal } = context;
  let deployment = started;
  let seenAt = now();
  report(context, deployment);
  while (!isEnded(deployment)) {
    await wait(pollIntervalMs, signal);
    const result = await deployments.call(
      getDeployment,
      { params: { id: started.id } },
      callOptionsFor(context),
    );
    if (result.ok) {
      deployment = result.data;
      seenAt = now();
      report(context, deployment);
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

function report(context: CallContext, { progress }: Deployment): void {
  context.progress(progress.percent, 100, `${regionsText(progress)}.`);
}

/** Returns only if the deployment had succeeded before it could be cancelled. */
async function cancel(
  deployment: Deployment,
  target: DeploymentTarget,
  context: CallContext,
  deployments: Client,
): Promise<Deployed> {
  const input = { params: { id: deployment.id } };
  const limits = { ...callOptionsFor(context), signal: AbortSignal.timeout(CANCEL_LIMIT_MS) };
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
  context.progress(deployment.progress.percent + 0.01, 100, message);
  throw new PublicError(result.ok ? 'cancelled' : 'cancel_failed', message, {
    cause: result.ok ? undefined : result.error,
  });
}
