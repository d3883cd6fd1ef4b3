import { callFor, callOptionsFor, ClientError } from '@mcp-parts/resilient-client';
import { PublicError } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import { getConfiguration, type Deployment } from '../platform/endpoints.ts';
import { refusalText } from '../prerequisites/prerequisites-text.ts';
import { checkPrerequisites } from '../prerequisites/prerequisites.ts';
import { failureIn, stopped, unhealthyIn, type Failure } from './deployment-outcome.ts';
import { healthGate } from './health-gate.ts';
import { cancel, findRegion, follow, startRegion } from './region-deployment.ts';
import { createRegions, type Regions } from './regions.ts';
import { rollBack } from './rollback.ts';
import { isCancelled, taskOf, type DeployOptions, type Run } from './run.ts';

/** What is to be deployed, and how. */
export interface DeployRequest extends DeploymentTarget {
  /** In this order. @default all, as the configuration service has them */
  readonly regions?: readonly string[] | undefined;
  /** Whether what ran before comes back everywhere when a region fails. */
  readonly rollBackOnFailure: boolean;
}

/** What a deployment that succeeded has done. */
export interface Deployed extends DeploymentTarget {
  readonly regions: string[];
  /** Of the deployment API, one for each region. */
  readonly deploymentIds: string[];
}

/**
 * Checks the prerequisites itself, then deploys to one region after another, each under a key of its own, and goes on only
 * while the service is healthy where it has been. A later run asks the deployment API what earlier ones have started. When
 * the task is cancelled it cancels the deployment; when the server stops it leaves it running.
 *
 * @throws {PublicError} saying where it stopped, why, and what runs where
 */
export async function deploy(
  { regions: wanted, rollBackOnFailure, ...target }: DeployRequest,
  context: Run['context'],
  options: DeployOptions,
): Promise<Deployed> {
  const run: Run = { target, context, options };
  const isFirst = taskOf(run).attempt === 1;
  if (isFirst) {
    await check(run);
  }
  const names = await context.once('regions', () => regionsOf(run, wanted));
  const deployments = isFirst ? new Map<string, Deployment>() : await startedBefore(run, names);
  if (!isFirst && deployments.size === 0) {
    await check(run);
  }
  const regions = createRegions(names, context);
  for (const region of names) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other is the point of it.
    const failure = await deployTo(run, region, deployments, regions).catch((error: unknown) =>
      failureAfter(error, run, regions),
    );
    if (failure !== undefined) {
      const undoes = rollBackOnFailure && failure.isOurs;
      // oxlint-disable-next-line no-await-in-loop -- It is the end.
      throw stopped(failure, regions, undoes ? await rollBack(run, deployments, regions) : undefined);
    }
  }
  return { ...target, regions: names, deploymentIds: [...deployments.values()].map(({ id }) => id) };
}

/** @throws {PublicError} `prerequisites_failed`, with every check that failed */
async function check({ target, context, options }: Run): Promise<void> {
  context.signal.throwIfAborted();
  context.progress(0, 100, 'Checking the prerequisites.');
  const prerequisites = await checkPrerequisites(target, options, callOptionsFor(context));
  if (!prerequisites.ready) {
    throw new PublicError('prerequisites_failed', refusalText(prerequisites, target));
  }
}

/** The regions and their order, which stay as they are from the first run on. */
async function regionsOf({ target, context, options }: Run, wanted: readonly string[] | undefined) {
  const { service, environment } = target;
  const input = { params: { service, environment } };
  const { regions } = await callFor(context, options.configuration, getConfiguration, input);
  const unknown = wanted?.filter((region) => !regions.includes(region)) ?? [];
  if (unknown.length > 0) {
    throw new PublicError(
      'unknown_region',
      `Nothing was deployed: ${environment} has no region ${unknown.join(', ')}. Choose from ${regions.join(', ')}.`,
    );
  }
  return [...(wanted ?? regions)];
}

async function startedBefore(run: Run, names: readonly string[]): Promise<Map<string, Deployment>> {
  const deployments = new Map<string, Deployment>();
  for (const region of names) {
    // One after the other, as they were started.
    // oxlint-disable-next-line no-await-in-loop
    const found = await findRegion(run, region);
    if (found === undefined) {
      break;
    }
    deployments.set(region, found);
  }
  return deployments;
}

/** Why there is no going on after this region, if there is not. */
async function deployTo(
  run: Run,
  region: string,
  deployments: Map<string, Deployment>,
  regions: Regions,
): Promise<Failure | undefined> {
  const { signal } = run.context;
  let deployment = deployments.get(region) ?? (await startRegion(run, region));
  const show = (shown: Deployment) => {
    deployment = shown;
    deployments.set(region, shown);
    regions.see(region, shown);
  };
  try {
    await follow(run, deployment, show);
  } catch (error) {
    if (!isCancelled(signal)) {
      throw error;
    }
    show(await cancel(run, deployment, regions.next()));
  }
  const failure = failureIn(region, deployment, run.target);
  if (failure !== undefined || isCancelled(signal)) {
    return failure;
  }
  const unhealthy = await healthGate(run, region, regions);
  return unhealthy === null ? undefined : unhealthyIn(region, deployment, run.target, unhealthy);
}

/**
 * What was refused or lost when regions were finished already: the model has to know which. It is ours to undo when it is
 * certain that nothing was started.
 *
 * @throws {unknown} the error, when there is nothing to add to it
 */
function failureAfter(error: unknown, { context }: Run, regions: Regions): Failure {
  const isKnown = error instanceof PublicError || error instanceof ClientError;
  if (!isKnown || context.signal.aborted || regions.changed().length === 0) {
    throw error;
  }
  return {
    code: error.code,
    isOurs: error instanceof ClientError,
    message: error.publicMessage,
    cause: error,
  };
}
