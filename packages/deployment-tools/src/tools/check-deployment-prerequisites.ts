import { callOptionsFor } from '@mcp-parts/resilient-client';
import { defineTool } from '@mcp-parts/tool-kit';

import { READ_PERMISSION } from '../deployment/permissions.ts';
import { deploymentTargetSchema, prerequisitesSchema } from '../deployment/schemas.ts';
import { prerequisitesText } from '../prerequisites/prerequisites-text.ts';
import { checkPrerequisites, type PrerequisiteSources } from '../prerequisites/prerequisites.ts';

/** `check_deployment_prerequisites`: whether a version may be deployed now. Only asks; the task checks again. */
export function createCheckDeploymentPrerequisites(sources: PrerequisiteSources) {
  return defineTool({
    name: 'check_deployment_prerequisites',
    toolset: 'deployments',
    title: 'Check deployment prerequisites',
    description:
      'Checks whether a version may be deployed now: configuration, compatibility, health of dependencies, deployment window. Call it before trigger_deployment.',
    input: deploymentTargetSchema,
    output: prerequisitesSchema,
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: READ_PERMISSION,
    audit: (target) => ({ resource: `${target.service}/${target.environment}`, arguments: target }),
    handle: (target, context) => checkPrerequisites(target, sources, callOptionsFor(context)),
    text: prerequisitesText,
    isFailure: ({ ready }) => !ready,
  });
}
