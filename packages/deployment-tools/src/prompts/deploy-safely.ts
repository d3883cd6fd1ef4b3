import type { Client } from '@mcp-parts/resilient-client';
import { definePrompt } from '@mcp-parts/tool-kit';

import { completeEnvironment, serviceCompleter } from '../completion.ts';
import { deployPermission } from '../deployment/permissions.ts';
import { deploymentTargetSchema } from '../deployment/schemas.ts';

/** `deploy_safely`: the text with which a person starts a deployment that a model carries out. */
export function createDeploySafely({ configuration }: { readonly configuration: Client }) {
  return definePrompt({
    name: 'deploy_safely',
    toolset: 'deployments',
    title: 'Deploy safely',
    description: 'Deploys a version step by step: check, ask, trigger, follow, report.',
    arguments: deploymentTargetSchema,
    permission: deployPermission,
    complete: { service: serviceCompleter(configuration), environment: completeEnvironment },
    render: ({ service, version, environment }) =>
      `
Deploy ${service} ${version} to ${environment}. Take these steps in order and skip none.

1. Check: call check_deployment_prerequisites with service "${service}", version "${version}", environment "${environment}". If a check failed or is unknown, stop: tell me each failed check, its reason and its next step, and trigger nothing.
2. Ask: read deployment://config/${service}/${environment}, tell me which version would be replaced and in which regions, and wait for my explicit yes. Anything else is a no.
3. Trigger: call trigger_deployment once, with the same three values and an idempotencyKey that you make up. If the call itself breaks off, repeat it with the same key and never with another.
4. Follow: call check_deployment_status with the taskId about every 5 s until the state is completed, failed or cancelled. Tell me when a region changes.
5. Report: the final state, the version and regions now deployed, how long it took, and on failure the reason as given. Do not start another deployment or a rollback without asking me.
`.trim(),
  });
}
