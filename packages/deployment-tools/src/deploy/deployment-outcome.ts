import { PublicError, quoted } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import type { Deployment } from '../platform/endpoints.ts';

/** Whether a deployment will not change any more. */
export function isEnded({ state }: Deployment): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/**
 * The result of a deployment that succeeded.
 *
 * @throws {PublicError} `deployment_failed`, `deployment_cancelled`, with where it stopped and why
 */
export function deployedResult(deployment: Deployment, target: DeploymentTarget): Deployed {
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

/** What a deployment that succeeded has done. */
export interface Deployed extends DeploymentTarget {
  readonly deploymentId: string;
  readonly regions: Deployment['progress']['regions'];
}

/** `eu-central succeeded, us-east 50 %, ap-south pending` */
export function regionsText({ regions }: Deployment['progress']): string {
  if (regions.length === 0) {
    return 'no regions yet';
  }
  return regions
    .map(({ region, state, percent }) => `${region} ${state === 'running' ? `${percent} %` : state}`)
    .join(', ');
}
