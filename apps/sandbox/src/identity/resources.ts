import { errors, type ResourceServer } from 'oidc-provider';

/** Audience of the configuration service, the deployment API and the audit collector. */
export const platformAudience = 'https://platform.sandbox.test';

export const platformScopes = ['platform:read', 'platform:deploy', 'audit:write'];
export const mcpScopes = [
  'deploy:read',
  'deploy:development',
  'deploy:staging',
  'deploy:production',
  'deploy:approve',
  'services:delete',
];

/** Client through which people get tokens without a browser; public, so that one `curl` line is enough. */
export const userTokenClientId = 'sandbox-cli';

const ACCESS_TOKEN_TTL_SECONDS = 3600;

/** Which tokens (RFC 8707: for which resource, with which scopes) a client may ask for. */
export interface Resources {
  readonly register: (url: string) => void;
  /** @throws {errors.InvalidTarget} when the resource is unknown or not for this client */
  readonly lookUp: (clientId: string, resource: string) => ResourceServer;
}

export function createResources(): Resources {
  const mcpResources = new Set<string>();

  function scopesFor(clientId: string, resource: string): string[] | undefined {
    if (resource === platformAudience) {
      if (clientId === 'mcp-server') {
        return platformScopes;
      }
      // A person's platform token exists so that a test can show where it is refused.
      if (clientId === userTokenClientId) {
        return ['platform:read', 'platform:deploy'];
      }
      return undefined;
    }
    return mcpResources.has(resource) && clientId !== 'mcp-server' ? mcpScopes : undefined;
  }

  return {
    register(url) {
      mcpResources.add(url);
    },
    lookUp(clientId, resource) {
      const scopes = scopesFor(clientId, resource);
      if (!scopes) {
        throw new errors.InvalidTarget();
      }
      return {
        scope: scopes.join(' '),
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: ACCESS_TOKEN_TTL_SECONDS,
        jwt: { sign: { alg: 'RS256' } },
      };
    },
  };
}
