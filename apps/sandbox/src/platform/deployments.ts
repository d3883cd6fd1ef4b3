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
  /** In this order. @default all of the environment */
  readonly regions?: readonly string[] | undefined;
  /** Who asked for it, in the caller's own terms. */
  readonly requestedBy: string;
}

/** A deployment as the API shows it. */
export interface Deployment extends Omit<DeploymentRequest, 'regions'> {
  readonly id: string;
  /** The deployment that it undoes. */
  readonly rollbackOf?: string;
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
  /** What ran there before. */
  readonly replaces: string;
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
  /**
   * Brings what ran before back to where a deployment has changed it; each deployment is undone once.
   *
   * @throws {Problem} 404, or 409 while it or another is active there, or when it has changed nothing
   */
  readonly rollback: (id: string, requestedBy: string) => { deployment: Deployment; isNew: boolean };
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

  function begin(
    { service, environment, version, requestedBy }: DeploymentRequest,
    regions: readonly string[],
    rollbackOf?: string,
  ): Deployment {
    const active = [...deployments.values()].find(
      (other) => isActive(other) && other.service === service && other.environment === environment,
    );
    if (active) {
      throw new Problem(409, `Deployment ${active.id} is still ${active.state} there.`, {
        type: 'deployment-active',
      });
    }
    const createdAt = now().toISOString();
    const deployment: Deployment = {
      id: `dep-${randomUUID()}`,
      service,
      version,
      environment,
      requestedBy,
      ...(rollbackOf !== undefined && { rollbackOf }),
      state: 'queued',
      progress: {
        percent: 0,
        regions: regions.map((region) => ({
          region,
          replaces: platform.versionIn(service, environment, region),
          state: 'pending',
          percent: 0,
        })),
      },
      createdAt,
      updatedAt: createdAt,
    };
    deployments.set(deployment.id, deployment);
    schedule(deployment);
    return deployment;
  }

  return {
    start(request) {
      const all = platform.configuration(request.service, request.environment).regions;
      const unknown = request.regions?.find((region) => !all.includes(region));
      if (unknown !== undefined) {
        throw new Problem(400, `regions: ${request.environment} has no region ${unknown}.`);
      }
      return begin(request, request.regions ?? all);
    },
    rollback(id, requestedBy) {
      const undone = find(id);
      const earlier = [...deployments.values()].find(({ rollbackOf }) => rollbackOf === id);
      if (earlier) {
        return { deployment: earlier, isNew: false };
      }
      if (isActive(undone)) {
        throw new Problem(409, `Deployment ${id} is still ${undone.state}.`, { type: 'deployment-active' });
      }
      const changed = undone.progress.regions.filter(({ percent }) => percent > 0).toReversed();
      const [last] = changed;
      if (last === undefined) {
        throw new Problem(409, `Deployment ${id} has changed nothing.`, { type: 'nothing-to-undo' });
      }
      const { service, environment } = undone;
      const request = { service, environment, version: last.replaces, requestedBy };
      return {
        deployment: begin(
          request,
          changed.map(({ region }) => region),
          id,
        ),
        isNew: true,
      };
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
  // A version `x.y.z-broken` fails in the second region of its environment, or in the only one.
  const [first, second = first] = platform.regions(deployment.environment);
  const failsHere = deployment.version.endsWith('-broken') && current.region === second;
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
  platform.setVersion(deployment.service, deployment.environment, current.region, deployment.version);
  if (!startNext(regions)) {
    deployment.state = 'succeeded';
  }
}

function startNext(regions: RegionProgress[]): boolean {
  const next = regions.find((region) => region.state === 'pending');
  if (next) {
    next.state = 'running';
  }
  return next !== undefined;
}
