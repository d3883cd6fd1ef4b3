import type { Permission } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from './schemas.ts';

/** Needed by everything that only reads. */
export const READ_PERMISSION = 'deploy:read';

/** Needed to deploy: one permission for each environment. */
export const deployPermission: Permission<DeploymentTarget> = {
  anyOf: ['deploy:development', 'deploy:staging', 'deploy:production'],
  select: ({ environment }) => `deploy:${environment}`,
};
