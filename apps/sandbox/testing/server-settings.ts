import { fileURLToPath } from 'node:url';

import type { Sandbox } from '../src/index.ts';

/** The MCP server's public URL, and so the audience of its tokens. It need not be where it listens. */
export const mcpResource = 'https://deployments.example.test/mcp';

/** Whom a server trusts and which platform it acts on, as environment variables that both servers understand. */
export function serverSettings(sandbox: Sandbox): Record<string, string> {
  const { urls, clients, directoryFile, directoryServer, platformAudience } = sandbox;
  return {
    AUTH_ISSUER: urls.identity,
    AUTH_AUDIENCE: mcpResource,
    AUTH_ALGORITHMS: 'RS256',
    // The policy that is shipped, so that a mistake in it fails here.
    POLICY_FILE: fileURLToPath(new URL('../../../deploy/kubernetes/policy/policy.yaml', import.meta.url)),
    DIRECTORY_FILE: directoryFile,
    ...(directoryServer && { DIRECTORY_PASSWORD: directoryServer.password }),
    PLATFORM_CONFIGURATION_URL: urls.configuration,
    PLATFORM_DEPLOYMENTS_URL: urls.deployments,
    PLATFORM_TOKEN_URL: `${urls.identity}/token`,
    PLATFORM_CLIENT_ID: clients.mcpServer.clientId,
    PLATFORM_CLIENT_SECRET: clients.mcpServer.clientSecret,
    PLATFORM_RESOURCE: platformAudience,
    AUDIT_COLLECTOR_URL: `${urls.audit}/v1/events`,
    RATE_LIMIT_PER_MINUTE: '10000',
    LOG_LEVEL: 'info',
  };
}
