import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { FastifyInstance } from 'fastify';
import { createLocalJWKSet } from 'jose';

import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { createControlService } from './control-service.ts';
import { createFaultSwitch, type FaultSwitch } from './fault-switch.ts';
import { loadCredentials } from './identity/credentials.ts';
import type { DirectoryServer } from './identity/directory-server.ts';
import { type SandboxUser, writeDirectory } from './identity/directory.ts';
import { createIdentityProvider } from './identity/identity-provider.ts';
import { createResources, platformAudience, userTokenClientId } from './identity/resources.ts';
import type { TokenRequest } from './identity/tokens.ts';
import { type CollectedEvent, createAuditCollector } from './platform/audit-collector.ts';
import { createConfigurationService } from './platform/configuration-service.ts';
import { createDeploymentApi } from './platform/deployment-api.ts';
import { createDeployments } from './platform/deployments.ts';
import { createPlatform } from './platform/platform.ts';
import { defaultSeed } from './platform/seed.ts';
import type { DeploymentWindow, Environment, Health, PlatformSeed } from './platform/types.ts';
import type { SandboxService } from './wire/faults.ts';
import { createScopeGuard } from './wire/scope-guard.ts';
import { createServiceHost, type ServiceHost, type WireRequest } from './wire/service-host.ts';

/** Options of `startSandbox`. */
export interface SandboxOptions {
  /** Port of each service, from 0, which takes a free one, to 65_535. @default 0 for all */
  readonly ports?: Partial<Record<SandboxService | 'control', number>> | undefined;
  /** Clock of the platform's timestamps. Tokens always follow the real clock. @default the real clock */
  readonly now?: (() => Date) | undefined;
  /** Time between two steps of a deployment, in milliseconds, from 0; a region takes two. @default 20 */
  readonly deploymentStepMs?: number | undefined;
  /** Resource URL (audience) of the MCP server; `registerResource` adds one later. */
  readonly mcpResource?: string | undefined;
  /** Where keys and secrets are kept for the next start. @default a temporary directory, removed by `close` */
  readonly stateDirectory?: string | undefined;
  /** Keeps users and groups in an OpenLDAP server, where one is installed. @default false: in a file */
  readonly directoryServer?: boolean | undefined;
  /** @default fifteen services of a shop */
  readonly seed?: PlatformSeed | undefined;
}

function resolveSandboxOptions(options: SandboxOptions) {
  const { ports = {}, now = () => new Date(), deploymentStepMs = 20, seed = defaultSeed } = options;
  for (const [name, port] of Object.entries(ports)) {
    checkWhole(`ports.${name}`, port, 0, 65_535);
  }
  checkWhole('deploymentStepMs', deploymentStepMs, 0, MAX_TIMER_MS);
  return {
    ...options,
    ports,
    now,
    deploymentStepMs,
    seed,
    directoryServer: options.directoryServer ?? false,
  };
}

type ResolvedSandboxOptions = ReturnType<typeof resolveSandboxOptions>;

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable {
  /** Base URLs without a trailing slash; `identity` is the issuer. */
  readonly urls: Readonly<Record<SandboxService | 'control', string>>;
  /** Audience that tokens for the configuration service, the deployment API and the audit collector need. */
  readonly platformAudience: string;
  readonly clients: {
    /** The MCP server's own client for the platform. */
    readonly mcpServer: { readonly clientId: string; readonly clientSecret: string };
    /** A machine that calls the MCP server. */
    readonly ciBot: { readonly clientId: string; readonly clientSecret: string };
    /** Public client of the sandbox's user grant. */
    readonly userTokens: { readonly clientId: string };
  };
  /** Holds `credentials.json` and the directory. */
  readonly stateDirectory: string;
  /** YAML file of users and their groups, or of where to ask for them. */
  readonly directoryFile: string;
  /** The OpenLDAP server that `directoryFile` names, if it does. */
  readonly directoryServer: { readonly url: string; readonly password: string } | undefined;
  readonly faults: FaultSwitch;
  /** Lets tokens be issued for an MCP server at this URL. */
  readonly registerResource: (url: string) => void;
  /** An access token of a seeded user, signed by the provider without a request on the wire. */
  readonly issueUserToken: (user: SandboxUser, request: TokenRequest) => Promise<string>;
  /** An access token of a machine client, as its client credentials would get. */
  readonly issueServiceToken: (client: 'mcp-server' | 'ci-bot', request: TokenRequest) => Promise<string>;
  /** In one region, or in all that have no health of their own. */
  readonly setHealth: (service: string, environment: Environment, health: Health, region?: string) => void;
  readonly setDeploymentWindow: (environment: Environment, window: DeploymentWindow) => void;
  /** What the audit collector holds, in the order of arrival. */
  readonly auditEvents: () => CollectedEvent[];
  /** The last 1,000 requests a service received, oldest first. */
  readonly requests: (service: SandboxService) => readonly WireRequest[];
  readonly close: () => Promise<void>;
}

/**
 * Starts the organisation's platform on loopback: identity provider, configuration service, deployment API and
 * audit collector, and a port to control them.
 *
 * @throws {PortTakenError} when a fixed port is in use.
 * @throws {RangeError} naming the option that is out of its range.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const resolved = resolveSandboxOptions(options);
  const cleanups: Cleanup[] = [];
  const close = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) {
      await cleanup();
    }
  };
  try {
    return await start(resolved, cleanups, close);
  } catch (error) {
    await close();
    throw error;
  }
}

type Cleanup = () => Promise<void> | void;

async function start(
  options: ResolvedSandboxOptions,
  cleanups: Cleanup[],
  close: () => Promise<void>,
): Promise<Sandbox> {
  const { ports, now, seed, deploymentStepMs } = options;
  const stateDirectory = options.stateDirectory ?? (await temporaryDirectory(cleanups));
  await mkdir(stateDirectory, { recursive: true });
  const directoryFile = join(stateDirectory, 'directory.yaml');
  const credentials = await loadCredentials(stateDirectory);

  const host = async (name: SandboxService | 'control'): Promise<ServiceHost> => {
    const opened = await createServiceHost({ name, port: ports[name] ?? 0, now });
    cleanups.push(() => opened.close());
    return opened;
  };
  const hosts = {
    identity: await host('identity'),
    configuration: await host('configuration'),
    deployments: await host('deployments'),
    audit: await host('audit'),
  };
  const control = await host('control');

  const resources = createResources();
  if (options.mcpResource !== undefined) {
    resources.register(options.mcpResource);
  }
  const issuer = hosts.identity.url;
  const directoryServer = options.directoryServer ? await startDirectoryServer(directoryFile) : undefined;
  if (directoryServer === undefined) {
    await writeDirectory(directoryFile, issuer);
  } else {
    cleanups.push(() => directoryServer.close());
  }
  const { provider, mint } = createIdentityProvider({ issuer, credentials, resources });
  const { kty, kid, n, e } = credentials.signingKey;
  const keys = createLocalJWKSet({ keys: [{ kty, kid, n, e }] });
  const guard = createScopeGuard({ issuer, audience: platformAudience, keys });

  const platform = createPlatform(seed, now);
  const deployments = createDeployments({ platform, now, stepMs: deploymentStepMs });
  cleanups.push(() => deployments.close());
  const collector = createAuditCollector({ guard });
  const faults = createFaultSwitch(hosts);

  const handleIdentity = provider.callback();
  hosts.identity.handle((request, response) => void handleIdentity(request, response));
  await serve(hosts.configuration, createConfigurationService({ platform, guard, now }));
  await serve(hosts.deployments, createDeploymentApi({ deployments, guard }));
  await serve(hosts.audit, collector.app);
  await serve(control, createControlService({ faults, platform }));

  return {
    urls: {
      identity: issuer,
      configuration: hosts.configuration.url,
      deployments: hosts.deployments.url,
      audit: hosts.audit.url,
      control: control.url,
    },
    platformAudience,
    clients: {
      mcpServer: { clientId: 'mcp-server', clientSecret: credentials.mcpServerSecret },
      ciBot: { clientId: 'ci-bot', clientSecret: credentials.ciBotSecret },
      userTokens: { clientId: userTokenClientId },
    },
    stateDirectory,
    directoryFile,
    directoryServer,
    faults,
    registerResource: (url) => resources.register(url),
    issueUserToken: (user, request) => mint.forUser(user, request, userTokenClientId),
    issueServiceToken: (client, request) => mint.forService(client, request),
    setHealth: (...health) => platform.setHealth(...health),
    setDeploymentWindow: (environment, window) => platform.setDeploymentWindow(environment, window),
    auditEvents: () => collector.events(),
    requests: (service) => hosts[service].requests(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Loaded only when it is wanted: it is the one part that starts a program. */
async function startDirectoryServer(file: string): Promise<DirectoryServer | undefined> {
  return (await import('./identity/directory-server.ts')).startDirectoryServer(file);
}

async function serve(host: ServiceHost, app: FastifyInstance): Promise<void> {
  await app.ready();
  host.handle((request, response) => app.routing(request, response));
}

async function temporaryDirectory(cleanups: Cleanup[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-sandbox-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
