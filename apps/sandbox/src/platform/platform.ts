import { Problem } from '../wire/json-service.ts';
import type { DeploymentWindow, Environment, Health, PlatformSeed, ServiceSeed } from './types.ts';

/** What the configuration service tells about a service in one environment. */
export interface ServiceConfiguration {
  readonly service: string;
  readonly environment: Environment;
  /** The version that runs now. */
  readonly version: string;
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
  readonly setVersion: (service: string, environment: Environment, version: string) => void;
  /** Why the version would not work there; empty when it would. @throws {Problem} 404 */
  readonly incompatibilities: (service: string, version: string, environment: Environment) => string[];
  readonly health: (service: string, environment: Environment) => Health;
  readonly setHealth: (service: string, environment: Environment, health: Health) => void;
  readonly deploymentWindow: (environment: Environment) => DeploymentWindow;
  readonly setDeploymentWindow: (environment: Environment, window: DeploymentWindow) => void;
}

export function createPlatform(seed: PlatformSeed, now: () => Date): Platform {
  const startedAt = now().toISOString();
  const services = new Map(seed.services.map((service) => [service.name, service]));
  const deployed = new Map<string, { version: string; updatedAt: string }>();
  const healths = new Map<string, Health>();
  const windows = new Map<Environment, DeploymentWindow>();
  const key = (service: string, environment: Environment): string => `${service}/${environment}`;

  function service(name: string): ServiceSeed {
    const found = services.get(name);
    if (!found) {
      throw new Problem(404, `There is no service ${name}.`, { type: 'unknown-service' });
    }
    return found;
  }

  function configuration(name: string, environment: Environment): ServiceConfiguration {
    const found = service(name);
    const current = deployed.get(key(name, environment));
    return {
      service: name,
      environment,
      version: current?.version ?? found.versions[environment],
      regions: seed.regions[environment],
      replicas: environment === 'production' ? found.replicas : 1,
      settings: found.settings,
      dependencies: found.dependencies,
      updatedAt: current?.updatedAt ?? startedAt,
    };
  }

  return {
    services: () => [...services.values()],
    service,
    configuration,
    setVersion(name, environment, version) {
      deployed.set(key(name, environment), { version, updatedAt: now().toISOString() });
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
    health: (name, environment) =>
      healths.get(key(name, environment)) ?? service(name).health?.[environment] ?? { status: 'healthy' },
    setHealth(name, environment, health) {
      healths.set(key(service(name).name, environment), health);
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
