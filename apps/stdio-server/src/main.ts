#!/usr/bin/env node
import { createPolicy, loadPolicy } from '@mcp-parts/auth';
import { connectPlatform, createDeploymentTools, deploymentInstructions } from '@mcp-parts/deployment-tools';
import { createLogger } from '@mcp-parts/observability';
import { assembleServer, runCommand, serveStdio } from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import { identify } from './caller.ts';
import { invocation, settings } from './configuration.ts';

const name = 'mcp-deployments';

await runCommand(
  {
    name,
    version: manifest.version,
    description: manifest.description,
    settings,
    createLogger: ({ LOG_LEVEL }) => createLogger({ name, level: LOG_LEVEL }),
    async run(config, { logger, signal }) {
      const policy = createPolicy(await loadPolicy(config.POLICY_FILE));
      const caller = await identify(config, policy, { logger, signal });
      await using platform = connectPlatform({
        configurationUrl: config.PLATFORM_CONFIGURATION_URL,
        deploymentsUrl: config.PLATFORM_DEPLOYMENTS_URL,
        tokenUrl: config.PLATFORM_TOKEN_URL,
        clientId: config.PLATFORM_CLIENT_ID,
        clientSecret: config.PLATFORM_CLIENT_SECRET,
        resource: config.PLATFORM_RESOURCE,
      });
      await using server = await assembleServer({
        serverInfo: { name, version: manifest.version, title: 'Deployments' },
        instructions: deploymentInstructions,
        definitions: createDeploymentTools(platform),
        authorizer: policy,
        logger,
        stateDirectory: config.STATE_DIRECTORY,
        auditCollector:
          config.AUDIT_COLLECTOR_URL === undefined
            ? undefined
            : { url: config.AUDIT_COLLECTOR_URL, token: platform.auditToken },
        rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
        probes: platform.probes,
      });
      await serveStdio(server, { caller, signal });
    },
  },
  invocation,
);
