import { randomUUID } from 'node:crypto';

import { Problem } from '../wire/json-service.ts';
import type { Platform } from './platform.ts';
import type { Environment } from './types.ts';

/** Where a deployment is on its way; the last three are final. */
export type DeploymentState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What a caller asks to be deployed. */
export interface DeploymentRequest {
  readonly service: string;
  readonly version: string;
  readonly environment: Environment;
  /** Who asked for it, in the caller's own terms. */
  readonly requestedBy: string;
}

/** A deployment as the API shows it. */
export interface Deployment extends DeploymentRequest {
  readonly id: string;
  state: DeploymentState;
  readonly progress: {
    /** 0–100 over all regions. */
    percent: number;
    readonly regions: RegionProgress[];
  };
  /** Present when the state is `failed`. */
  failure?: { region: string; reason: string };
  /** ISO 8601. */
  readonly createdAt: string;
  updatedAt: string;
}

/** How far one region is; the regions take their turns. */
export interface RegionProgress {
  readonly region: string;
  state: 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** 0–100 */
  percent: number;
}

/** Runs deployments, one per service and environment at a time. */
export interface Deployments {
  /** @throws {Problem} 404 for an unknown service, 409 while another deployment is active there */
  readonly start: (request: DeploymentRequest) => Deployment;
  /** @throws {Problem} 404 */
  readonly get: (id: string) => Deployment;
  /** Newest first. */
  readonly list: () => Deployment[];
  /** @throws {Problem} 404, or 409 once it has ended */
  readonly cancel: (id: string) => Deployment;
  readonly close: () => void;
}

export function createDeployments(options: {
  platform: Platform;
  now: () => Date;
  stepMs: number;
}): Deployments {
  const { platform, now, stepMs } = options;
  const deployments = new Map<string, Deployment>();
  const timers = new Map<string, NodeJS.Timeout>();

  function schedule(deployment: Deployment): void {
    const step = (): void => {
      timers.delete(deployment.id);
      advance(deployment, platform);
      deployment.updatedAt = now().toISOString();
      if (isActive(deployment)) {
        schedule(deployment);
      }
    };
    timers.set(deployment.id, setTimeout(step, stepMs));
  }

  function find(id: string): Deployment {
    const found = deployments.get(id);
    if (!found) {
      throw new Problem(404, `There is no deployment ${id}.`, { type: 'unknown-deployment' });
    }
    return found;
  }

  return {
    start(request) {
      const { regions } = platform.configuration(request.service, request.environment);
      const active = [...deployments.values()].find(
        (other) =>
          isActive(other) && other.service === request.service && other.environment === request.environment,
      );
      if (active) {
        throw new Problem(409, `Deployment ${active.id} is still ${active.state} there.`, {
          type: 'deployment-active',
        });
      }
      const createdAt = now().toISOString();
      const deployment: Deployment = {
        id: `dep-${randomUUID()}`,
        ...request,
        state: 'queued',
        progress: {
          percent: 0,
          regions: regions.map((region) => ({ region, state: 'pending', percent: 0 })),
        },
        createdAt,
        updatedAt: createdAt,
      };
      deployments.set(deployment.id, deployment);
      schedule(deployment);
      return deployment;
    },
    get: find,
    list: () => [...deployments.values()].toReversed(),
    cancel(id) {
      const deployment = find(id);
      if (!isActive(deployment)) {
        throw new Problem(409, `Deployment ${id} has already ${deployment.state}.`, {
          type: 'deployment-ended',
        });
      }
      clearTimeout(timers.get(id));
      timers.delete(id);
      deployment.state = 'cancelled';
      for (const region of deployment.progress.regions) {
        if (region.state === 'pending' || region.state === 'running') {
          region.state = 'cancelled';
        }
      }
      deployment.updatedAt = now().toISOString();
      return deployment;
    },
    close() {
      for (const timer of timers.values()) {
        clearTimeout(timer);
      }
      timers.clear();
    },
  };
}

function isActive({ state }: Deployment): boolean {
  return state === 'queued' || state === 'running';
}

/** One step: queued → running, then every region from 0 over 50 to 100 percent, one after another. */
function advance(deployment: Deployment, platform: Platform): void {
  const { regions } = deployment.progress;
  deployment.state = 'running';
  const current = regions.find((region) => region.state === 'running');
  if (!current) {
    startNext(regions);
    return;
  }
  // A version `x.y.z-broken` fails in its second region, or in the only one.
  const failsHere = deployment.version.endsWith('-broken') && current === (regions[1] ?? regions[0]);
  if (failsHere && current.percent > 0) {
    current.state = 'failed';
    deployment.state = 'failed';
    deployment.failure = { region: current.region, reason: 'New replicas did not become ready in time.' };
    return;
  }
  current.percent += 50;
  deployment.progress.percent = Math.floor(
    regions.reduce((sum, region) => sum + region.percent, 0) / regions.length,
  );
  if (current.percent < 100) {
    return;
  }
  current.state = 'succeeded';
  if (startNext(regions)) {
    return;
  }
  deployment.state = 'succeeded';
  platform.setVersion(deployment.service, deployment.environment, deployment.version);
}

function startNext(regions: RegionProgress[]): boolean {
  const next = regions.find((region) => region.state === 'pending');
  if (next) {
    next.state = 'running';
  }
  return next !== undefined;
}
