export type { FaultSwitch } from './fault-switch.ts';
export type { DirectoryUser, SandboxUser } from './identity/directory.ts';
export type { TokenRequest } from './identity/tokens.ts';
export type { CollectedEvent } from './platform/audit-collector.ts';
export type {
  Deployment,
  DeploymentRequest,
  DeploymentState,
  RegionProgress,
} from './platform/deployments.ts';
export type { ServiceConfiguration } from './platform/platform.ts';
export type {
  DeploymentWindow,
  Environment,
  Health,
  Incompatibility,
  PlatformSeed,
  ServiceSeed,
} from './platform/types.ts';
export { defaultSeed } from './platform/seed.ts';
export { startSandbox } from './sandbox.ts';
export type { Sandbox, SandboxOptions } from './sandbox.ts';
export type { Fault, SandboxService } from './wire/faults.ts';
export { PortTakenError } from './wire/service-host.ts';
export type { WireRequest } from './wire/service-host.ts';
