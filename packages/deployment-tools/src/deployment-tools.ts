import type { Client } from '@mcp-parts/resilient-client';
import type { CatalogDefinitions } from '@mcp-parts/tool-kit';

import { createCheckDeploymentPrerequisites } from './check-deployment-prerequisites.ts';
import { createCheckDeploymentStatus } from './check-deployment-status.ts';
import { createDeploySafely } from './deploy-safely.ts';
import { createDeploymentConfig } from './deployment-config.ts';
import { createDeploymentTask } from './deployment-task.ts';
import { createListServices } from './list-services.ts';
import { createTriggerDeployment } from './trigger-deployment.ts';

/** Options of {@link createDeploymentTools}. */
export interface DeploymentToolsOptions {
  /** Client of the configuration service. */
  readonly configuration: Client;
  /** Client of the deployment API. */
  readonly deployments: Client;
  /** Milliseconds since the epoch, compared with deployment windows. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Time between two looks at a running deployment, in milliseconds. @default 2_000 */
  readonly pollIntervalMs?: number | undefined;
  /** Waits between two looks; rejects when the signal aborts. Replace it in tests. @default a timer */
  readonly wait?: ((delayMs: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * The tools, resource, prompt and task of deployments, for `createCatalog`. Hand `tasks` to the task runner too.
 *
 * @throws {RangeError} when `pollIntervalMs` is not a whole number from 1 to 60 000
 */
export function createDeploymentTools(options: DeploymentToolsOptions): Required<CatalogDefinitions> {
  const { configuration, deployments, now = Date.now, pollIntervalMs = 2_000, wait } = options;
  if (!Number.isInteger(pollIntervalMs) || pollIntervalMs < 1 || pollIntervalMs > 60_000) {
    throw new RangeError(`pollIntervalMs must be a whole number from 1 to 60000, not ${pollIntervalMs}`);
  }
  return {
    tools: [
      createListServices({ configuration }),
      createCheckDeploymentPrerequisites({ configuration, now }),
      createTriggerDeployment(),
      createCheckDeploymentStatus(),
    ],
    resources: [createDeploymentConfig({ configuration })],
    prompts: [createDeploySafely({ configuration })],
    tasks: [createDeploymentTask({ configuration, deployments, now, pollIntervalMs, wait })],
  };
}
