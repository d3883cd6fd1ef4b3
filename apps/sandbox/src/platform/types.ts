import { z } from 'zod';

export const environmentSchema = z.enum(['development', 'staging', 'production']);

/** Where a service runs. */
export type Environment = z.infer<typeof environmentSchema>;

export const healthSchema = z.strictObject({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  detail: z.string().optional(),
});

/** How a service does in one environment. */
export type Health = z.infer<typeof healthSchema>;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 09:30');

export const deploymentWindowSchema = z.discriminatedUnion('always', [
  z.strictObject({ always: z.literal(true) }),
  z.strictObject({
    always: z.literal(false),
    /** IANA name, e.g. `America/New_York`. */
    timeZone: z.string(),
    days: z.array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])),
    opensAt: clockTime,
    closesAt: clockTime,
  }),
]);

/** When an environment takes deployments. The sandbox publishes the window and leaves it to the caller to keep it. */
export type DeploymentWindow = z.infer<typeof deploymentWindowSchema>;

/** A version that does not work: everywhere or in some environments, or until a dependency is new enough. */
export interface Incompatibility {
  readonly version: string;
  /** @default all environments */
  readonly environments?: readonly Environment[] | undefined;
  /** The version works where the dependency runs at least `minimum`. */
  readonly unless?: { readonly service: string; readonly minimum: string } | undefined;
  readonly reason: string;
}

/** A service as it stands when the sandbox starts. */
export interface ServiceSeed {
  readonly name: string;
  readonly description: string;
  readonly ownerTeam: string;
  /** 1 is the most critical. */
  readonly tier: 1 | 2 | 3;
  /** Names of the services it calls. */
  readonly dependencies: readonly string[];
  /** Version in each environment. */
  readonly versions: Readonly<Record<Environment, string>>;
  /** Replicas per region in production; the other environments run one. */
  readonly replicas: number;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly health?: Readonly<Partial<Record<Environment, Health>>> | undefined;
  readonly incompatibilities?: readonly Incompatibility[] | undefined;
}

/** Everything the platform knows when the sandbox starts. */
export interface PlatformSeed {
  readonly services: readonly ServiceSeed[];
  readonly regions: Readonly<Record<Environment, readonly string[]>>;
  readonly deploymentWindows: Readonly<Record<Environment, DeploymentWindow>>;
}
