import { Problem } from '../wire/json-service.ts';
import type { DeploymentWindow, Environment, Health, PlatformSeed, ServiceSeed } from './types.ts';

/** What the configuration service tells about a service in one environment. */
export interface ServiceConfiguration {
  readonly service: string;
  readonly environment: Environment;
  /** The version that runs now; while regions differ, that of the last one. */
  readonly version: string;
  /** Where they differ, the version of each. */
  readonly versionByRegion?: Readonly<Record<string, string>>;
  readonly regions: readonly string[];
  /** Replicas per region. */
  readonly replicas: number;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly dependencies: readonly string[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** The state that the configuration service shows and the deployment API changes. */
export interface Platform {
  readonly services: () => readonly ServiceSeed[];
  /** @throws {Problem} 404 */
  readonly service: (name: string) => ServiceSeed;
  /** @throws {Problem} 404 */
  readonly configuration: (service: string, environment: Environment) => ServiceConfiguration;
  readonly regions: (environment: Environment) => readonly string[];
  readonly versionIn: (service: string, environment: Environment, region: string) => string;
  readonly setVersion: (service: string, environment: Environment, region: string, version: string) => void;
  /** The services that call it. @throws {Problem} 404 */
  readonly dependants: (service: string) => string[];
  /** @throws {Problem} 404, 409 while others call it */
  readonly remove: (service: string) => ServiceSeed;
  /** Why the version would not work there; empty when it would. @throws {Problem} 404 */
  readonly incompatibilities: (service: string, version: string, environment: Environment) => string[];
  /** In one region, or the worst of all. @throws {Problem} 404 */
  readonly health: (service: string, environment: Environment, region?: string) => Health;
  readonly setHealth: (service: string, environment: Environment, health: Health, region?: string) => void;
  readonly deploymentWindow: (environment: Environment) => DeploymentWindow;
  readonly setDeploymentWindow: (environment: Environment, window: DeploymentWindow) => void;
}

export function createPlatform(seed: PlatformSeed, now: () => Date): Platform {
  const startedAt = now().toISOString();
  const services = new Map(seed.services.map((service) => [service.name, service]));
  const deployed = new Map<string, { version: string; updatedAt: string }>();
  const healths = new Map<string, Health>();
  const windows = new Map<Environment, DeploymentWindow>();
  const key = (service: string, environment: Environment, region = ''): string =>
    `${service}/${environment}/${region}`;

  function service(name: string): ServiceSeed {
    const found = services.get(name);
    if (!found) {
      throw new Problem(404, `There is no service ${name}.`, { type: 'unknown-service' });
    }
    return found;
  }

  function configuration(name: string, environment: Environment): ServiceConfiguration {
    const found = service(name);
    const regions = seed.regions[environment];
    const versions = regions.map((region) => versionIn(name, environment, region));
    const updates = regions.map(
      (region) => deployed.get(key(name, environment, region))?.updatedAt ?? startedAt,
    );
    return {
      service: name,
      environment,
      version: versions.at(-1) ?? found.versions[environment],
      ...(new Set(versions).size > 1 && {
        versionByRegion: Object.fromEntries(regions.map((region, index) => [region, versions[index] ?? ''])),
      }),
      regions,
      replicas: environment === 'production' ? found.replicas : 1,
      settings: found.settings,
      dependencies: found.dependencies,
      updatedAt: updates.toSorted().at(-1) ?? startedAt,
    };
  }

  function versionIn(name: string, environment: Environment, region: string): string {
    return deployed.get(key(name, environment, region))?.version ?? service(name).versions[environment];
  }

  function dependants(name: string): string[] {
    const { name: wanted } = service(name);
    return [...services.values()]
      .filter((other) => other.dependencies.includes(wanted))
      .map((other) => other.name);
  }

  function healthIn(name: string, environment: Environment, region: string): Health {
    // A version `x.y.z-unhealthy` deploys, and then does not work.
    const version = versionIn(name, environment, region);
    return (
      healths.get(key(name, environment, region)) ??
      (version.endsWith('-unhealthy')
        ? { status: 'unhealthy', detail: `Of the requests to ${version}, 12 % fail.` }
        : (healths.get(key(name, environment)) ??
          service(name).health?.[environment] ?? { status: 'healthy' }))
    );
  }

  return {
    services: () => [...services.values()],
    service,
    configuration,
    regions: (environment) => seed.regions[environment],
    versionIn,
    setVersion(name, environment, region, version) {
      deployed.set(key(name, environment, region), { version, updatedAt: now().toISOString() });
    },
    dependants,
    remove(name) {
      const found = service(name);
      const callers = dependants(name);
      if (callers.length > 0) {
        throw new Problem(409, `${callers.join(', ')} still call ${name}.`, { type: 'service-in-use' });
      }
      services.delete(name);
      return found;
    },
    incompatibilities(name, version, environment) {
      return (service(name).incompatibilities ?? [])
        .filter(
          (rule) => rule.version === version && (rule.environments ?? [environment]).includes(environment),
        )
        .filter(
          ({ unless }) =>
            unless === undefined ||
            isOlder(configuration(unless.service, environment).version, unless.minimum),
        )
        .map((rule) => rule.reason);
    },
    health(name, environment, region) {
      const regions = region === undefined ? seed.regions[environment] : [region];
      const found = regions.map((one) => healthIn(name, environment, one));
      return (
        found.find(({ status }) => status === 'unhealthy') ??
        found.find(({ status }) => status === 'degraded') ??
        found[0] ?? { status: 'healthy' }
      );
    },
    setHealth(name, environment, health, region) {
      healths.set(key(service(name).name, environment, region), health);
    },
    deploymentWindow: (environment) => windows.get(environment) ?? seed.deploymentWindows[environment],
    setDeploymentWindow(environment, window) {
      windows.set(environment, window);
    },
  };
}

/** Compares major, minor and patch; a pre-release counts as its release. */
function isOlder(version: string, minimum: string): boolean {
  const parts = (value: string): number[] => value.split(/[.+-]/, 3).map(Number);
  const [left, right] = [parts(version), parts(minimum)];
  for (const [index, wanted] of right.entries()) {
    const actual = left[index] ?? 0;
    if (actual !== wanted) {
      return actual < wanted;
    }
  }
  return false;
}
