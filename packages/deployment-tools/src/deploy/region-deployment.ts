import { callOptionsFor, type ClientError } from '@mcp-parts/resilient-client';
import { PublicError } from '@mcp-parts/tool-kit';

import {
  cancelDeployment,
  createDeployment,
  findDeployments,
  getDeployment,
  type Deployment,
} from '../platform/endpoints.ts';
import { isCancelled, taskOf, type Run } from './run.ts';

// A deployment goes on without us, so an outage of the API between two looks is waited for this long.
const MAX_SILENCE_MS = 5 * 60_000;
// Cancelling happens after the task's own signal has aborted, and so needs its own end.
const CANCEL_LIMIT_MS = 10_000;

/** The same in every run, so that a later one finds what an earlier one started. */
function keyOf(run: Run, region: string): string {
  return `${taskOf(run).id}.${encodeURIComponent(region)}`;
}

/** The deployment to a region that an earlier run started, as the deployment API knows it, which is the only truth. */
export async function findRegion(run: Run, region: string): Promise<Deployment | undefined> {
  const { context, options } = run;
  const { signal } = context;
  const result = await options.deployments.call(
    findDeployments,
    { query: { idempotencyKey: keyOf(run, region) } },
    {
      ...callOptionsFor(context),
      // Also what is cancelled must be found, to be undone.
      signal: isCancelled(signal) ? AbortSignal.timeout(CANCEL_LIMIT_MS) : signal,
    },
  );
  if (!result.ok) {
    signal.throwIfAborted();
    throw new PublicError(
      'status_unknown',
      'The server was restarted, and the deployment API does not say what became of the deployment. It may be running. Ask the person to look at the deployment system; do not trigger it again.',
      { cause: result.error },
    );
  }
  return result.data.deployments[0];
}

/** Starts the deployment to one region. */
export async function startRegion(run: Run, region: string): Promise<Deployment> {
  const { target, context, options } = run;
  context.signal.throwIfAborted();
  const result = await options.deployments.call(
    createDeployment,
    { body: { ...target, regions: [region], requestedBy: context.caller.id } },
    // Not the task's signal: cut off half-way, nobody would know which deployment to cancel. The client's own
    // deadline ends the call.
    {
      ...callOptionsFor(context),
      signal: new AbortController().signal,
      idempotencyKey: keyOf(run, region),
    },
  );
  if (!result.ok && mayHaveStarted(result.error)) {
    throw new PublicError(
      result.error.code,
      `The deployment API gave no usable answer, so the deployment to ${region} may or may not have started. Ask the person to look at the deployment system before you trigger it again.`,
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

/** Looks at a deployment until it has ended, and shows each look. */
export async function follow(
  { context, options }: Run,
  started: Deployment,
  show: (deployment: Deployment) => void,
  signal: AbortSignal = context.signal,
): Promise<Deployment> {
  const { deployments, pollIntervalMs, wait, now } = options;
  const limits = { ...callOptionsFor(context), signal };
  let deployment = started;
  let seenAt = now();
  show(deployment);
  while (!isEnded(deployment)) {
    await wait(pollIntervalMs, signal);
    const result = await deployments.call(getDeployment, { params: { id: started.id } }, limits);
    if (result.ok) {
      deployment = result.data;
      seenAt = now();
      show(deployment);
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

/** Whether a deployment will not change any more. */
function isEnded({ state }: Deployment): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** Stops the deployment of a task that is cancelled, and throws; or returns it, when it had ended before. */
export async function cancel(
  { context, options }: Run,
  deployment: Deployment,
  percent: number,
): Promise<Deployment> {
  const input = { params: { id: deployment.id } };
  const limits = { ...callOptionsFor(context), signal: AbortSignal.timeout(CANCEL_LIMIT_MS) };
  const result = await options.deployments.call(cancelDeployment, input, limits);
  if (!result.ok && result.error.code === 'conflict') {
    const shown = await options.deployments.call(getDeployment, input, limits);
    if (!shown.ok) {
      throw shown.error;
    }
    return shown.data;
  }
  const message = result.ok
    ? `Deployment ${deployment.id} was cancelled; regions that were finished keep the new version.`
    : `Deployment ${deployment.id} could not be cancelled and may still be running. Ask the person to cancel it in the deployment system.`;
  // A cancelled task shows its last progress and no error.
  context.progress(percent, 100, message);
  throw new PublicError(result.ok ? 'cancelled' : 'cancel_failed', message, {
    cause: result.ok ? undefined : result.error,
  });
}
