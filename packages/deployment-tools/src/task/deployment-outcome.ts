import { PublicError, quoted, type JsonObject } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import type { Deployment } from '../platform/endpoints.ts';

/** Whether a deployment will not change any more. */
export function isEnded({ state }: Deployment): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** A deployment's progress for a model: overall, and one entry for each region. */
export function progressText({ progress }: Deployment): {
  readonly percent: number;
  readonly message: string;
} {
  return { percent: progress.percent, message: `${regionsText(progress)}.` };
}

/**
 * The result of a deployment that succeeded.
 *
 * @throws {PublicError} `deployment_failed`, `deployment_cancelled`, with where it stopped and why
 */
export function deployedResult(deployment: Deployment, target: DeploymentTarget): JsonObject {
  const { id, state, progress, failure } = deployment;
  const what = `Deployment ${id} of ${target.service} ${target.version} to ${target.environment}`;
  switch (state) {
    case 'succeeded':
      return { deploymentId: id, ...target, regions: progress.regions };
    case 'failed':
      throw new PublicError(
        'deployment_failed',
        failure === undefined
          ? `${what} failed without a reason. Regions: ${regionsText(progress)}.`
          : `${what} failed in ${failure.region}: ${quoted(failure.reason)} Regions: ${regionsText(progress)}.`,
      );
    case 'cancelled':
      throw new PublicError(
        'deployment_cancelled',
        `${what} was cancelled in the deployment system. Regions: ${regionsText(progress)}.`,
      );
    case 'queued':
    case 'running':
      throw new PublicError(
        'status_unknown',
        `${what} is still ${state}, although the deployment API said that it had ended. Ask the person to look at the deployment system.`,
      );
    default:
      return state satisfies never;
  }
}

/** `eu-central succeeded, us-east 50 %, ap-south pending` */
function regionsText({ regions }: Deployment['progress']): string {
  if (regions.length === 0) {
    return 'no regions yet';
  }
  return regions
    .map(({ region, state, percent }) => `${region} ${state === 'running' ? `${percent} %` : state}`)
    .join(', ');
}
