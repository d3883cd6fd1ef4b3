import { setTimeout as delay } from 'node:timers/promises';

import type { Client } from '@mcp-parts/resilient-client';
import type { CatalogDefinitions } from '@mcp-parts/tool-kit';

import { checkWhole } from './check-number.ts';
import { resolveDeploymentRules, type DeploymentRules } from './deployment/rules.ts';
import { createDeploySafely } from './prompts/deploy-safely.ts';
import { createDeploymentConfig } from './resources/deployment-config.ts';
import { createCheckDeploymentPrerequisites } from './tools/check-deployment-prerequisites.ts';
import { createDeleteService } from './tools/delete-service.ts';
import { createListServices } from './tools/list-services.ts';
import { createTriggerDeployment } from './tools/trigger-deployment.ts';

/** Options of {@link createDeploymentTools}. */
export interface DeploymentToolsOptions {
  /** Client of the configuration service. */
  readonly configuration: Client;
  /** Client of the deployment API. */
  readonly deployments: Client;
  /** The time, in milliseconds since the Unix epoch; compared with deployment windows. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Time between two looks at a running deployment, in milliseconds, 1 to 60000. @default 2_000 */
  readonly pollIntervalMs?: number | undefined;
  /** How long a region may take to be healthy with a new version, in milliseconds, 0 to 3600000. @default 60_000 */
  readonly healthyWithinMs?: number | undefined;
  /** How deployments are confirmed, by environment. @default production `confirm`, the others `none` */
  readonly confirmation?: Partial<DeploymentRules['confirmation']> | undefined;
  /** Whether what ran before comes back when a region fails, by environment. @default nowhere: the call may say */
  readonly rollBackOnFailure?: Partial<DeploymentRules['rollBackOnFailure']> | undefined;
  /** Waits between two looks; rejects when the signal aborts. Replace it in tests. @default a timer */
  readonly wait?: ((delayMs: number, signal: AbortSignal) => Promise<void>) | undefined;
}

function resolveDeploymentToolsOptions(options: DeploymentToolsOptions) {
  const { configuration, deployments, now = Date.now, wait = waitFor } = options;
  const { pollIntervalMs = 2_000, healthyWithinMs = 60_000 } = options;
  checkWhole('pollIntervalMs', pollIntervalMs, 1, 60_000);
  checkWhole('healthyWithinMs', healthyWithinMs, 0, 3_600_000);
  const rules = resolveDeploymentRules(options);
  return { configuration, deployments, now, pollIntervalMs, healthyWithinMs, wait, rules };
}

async function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal });
}

/**
 * The tools, resource and prompt of deployments, for `createCatalog`. One is long-running, so the method table needs tasks.
 *
 * @throws {RangeError} naming the number that is out of its range
 */
export function createDeploymentTools(options: DeploymentToolsOptions): Required<CatalogDefinitions> {
  const resolved = resolveDeploymentToolsOptions(options);
  return {
    tools: [
      createListServices(resolved),
      createCheckDeploymentPrerequisites(resolved),
      createTriggerDeployment(resolved),
      createDeleteService(resolved),
    ],
    resources: [createDeploymentConfig(resolved)],
    prompts: [createDeploySafely(resolved)],
  };
}
