import { type Client, errors, type Provider } from 'oidc-provider';

import { findUser } from './directory.ts';
import type { Resources } from './resources.ts';

/** Grant type, of the sandbox only, that gives out a seeded user's token without any sign-in. */
export const userGrantType = 'urn:mcp-parts:sandbox:user';

export interface TokenRequest {
  /** Audience of the token: a registered MCP resource, or the platform. */
  readonly resource: string;
  readonly scopes: readonly string[];
}

/** Makes the provider sign an access token, as its token endpoint would. */
export interface TokenMint {
  readonly forUser: (subject: string, request: TokenRequest, clientId: string) => Promise<string>;
  readonly forService: (clientId: string, request: TokenRequest) => Promise<string>;
}

export function createTokenMint(provider: Provider, resources: Resources): TokenMint {
  async function prepare(clientId: string, { resource, scopes }: TokenRequest) {
    const client: Client | undefined = await provider.Client.find(clientId);
    if (!client) {
      throw new errors.InvalidClient(`unknown client ${clientId}`);
    }
    const resourceServer = new provider.ResourceServer(resource, resources.lookUp(clientId, resource));
    const unknown = scopes.find((scope) => !resourceServer.scopes.has(scope));
    if (unknown !== undefined) {
      throw new errors.InvalidScope('scope not available', unknown);
    }
    return { client, resourceServer, scope: scopes.join(' '), expiresIn: resourceServer.accessTokenTTL };
  }

  return {
    async forUser(subject, request, clientId) {
      const user = findUser(subject);
      if (!user) {
        throw new errors.InvalidRequest(`unknown user ${subject}`);
      }
      const token = new provider.AccessToken({
        ...(await prepare(clientId, request)),
        accountId: user.subject,
        grantId: userGrantType,
        gty: userGrantType,
      });
      return token.save();
    },
    async forService(clientId, request) {
      return new provider.ClientCredentials(await prepare(clientId, request)).save();
    },
  };
}

/** Lets `curl` fetch a user's token: parameters `user`, `resource` and `scope`. */
export function registerUserGrant(provider: Provider, mint: TokenMint): void {
  provider.registerGrantType(
    userGrantType,
    async (ctx) => {
      const { user, resource, scope } = ctx.oidc.params;
      if (typeof user !== 'string' || typeof resource !== 'string') {
        throw new errors.InvalidRequest('the parameters user and resource are required, once each');
      }
      const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
      const accessToken = await mint.forUser(user, { resource, scopes }, ctx.oidc.client.clientId);
      ctx.body = {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: 3600,
        scope: scopes.join(' '),
      };
    },
    ['user', 'resource', 'scope'],
  );
}
