import { PublicError, quoted } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import type { Deployment } from '../platform/endpoints.ts';
import { regionsText, type Regions } from './regions.ts';
import type { Undone } from './rollback.ts';

/** Why a deployment goes no further. */
export interface Failure {
  readonly code: string;
  /** Whether it is for us to undo: not what somebody has stopped, and not what nobody knows. */
  readonly isOurs: boolean;
  readonly message: string;
  readonly cause?: unknown;
}

/** Why a deployment that has ended has not succeeded, if it has not. */
export function failureIn(
  region: string,
  deployment: Deployment,
  target: DeploymentTarget,
): Failure | undefined {
  const { state, failure } = deployment;
  const what = named(deployment, target);
  switch (state) {
    case 'succeeded':
      return undefined;
    case 'failed':
      return {
        code: 'deployment_failed',
        isOurs: true,
        message:
          failure === undefined
            ? `${what} failed in ${region} without a reason.`
            : `${what} failed in ${failure.region}: ${quoted(failure.reason)}`,
      };
    case 'cancelled':
      return {
        code: 'deployment_cancelled',
        isOurs: false,
        message: `${what} was cancelled in the deployment system, in ${region}.`,
      };
    case 'queued':
    case 'running':
      return {
        code: 'status_unknown',
        isOurs: false,
        message: `${what} is still ${state} in ${region}, although the deployment API said that it had ended. Ask the person to look at the deployment system.`,
      };
    default:
      return state satisfies never;
  }
}

/** It has succeeded, and the service has not. */
export function unhealthyIn(
  region: string,
  deployment: Deployment,
  target: DeploymentTarget,
  why: string,
): Failure {
  const message = `${named(deployment, target)} went no further than ${region}: ${why}`;
  return { code: 'unhealthy', isOurs: true, message };
}

function named({ id }: Deployment, { service, version, environment }: DeploymentTarget): string {
  return `Deployment ${id} of ${service} ${version} to ${environment}`;
}

/** The end of a deployment that has not succeeded, for the model: where and why it stopped, and what runs where. */
export function stopped(
  { code, isOurs, message, cause }: Failure,
  regions: Regions,
  undone: Undone | undefined,
): PublicError {
  const kept = regions.changed().join(', ');
  const rest =
    undone?.text ??
    (isOurs && kept !== ''
      ? `Nothing was rolled back: tell the person, and ask whether to bring back what ran before in ${kept}.`
      : '');
  return new PublicError(
    undone?.isDone === false ? 'rollback_failed' : code,
    `${message} Regions: ${regionsText(regions.all())}. ${rest}`.trim(),
    { cause },
  );
}
