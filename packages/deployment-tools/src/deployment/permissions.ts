import type { Permission } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from './schemas.ts';

/** Needed by everything that only reads. */
export const READ_PERMISSION = 'deploy:read';

/** Needed to deploy: one permission for each environment. */
export const deployPermission: Permission<DeploymentTarget> = {
  anyOf: ['deploy:development', 'deploy:staging', 'deploy:production'],
  select: ({ environment }) => `deploy:${environment}`,
};

/** Needed to approve, as a second person, what somebody else wants to deploy. */
export const APPROVE_PERMISSION = 'deploy:approve';

/** Needed to delete a service from the platform. */
export const DELETE_PERMISSION = 'services:delete';
