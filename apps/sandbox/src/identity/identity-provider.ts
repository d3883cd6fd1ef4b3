import { randomBytes } from 'node:crypto';

import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';

import { grantAsRequested, signInAutomatically } from './automatic-sign-in.ts';
import type { Credentials } from './credentials.ts';
import { findUser } from './directory.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import { mcpScopes, platformScopes, type Resources, userTokenClientId } from './resources.ts';
import { createTokenMint, registerUserGrant, type TokenMint, userGrantType } from './tokens.ts';

/**
 * A real OpenID provider. Every option that has a warning for its default is set here, because oidc-provider
 * prints those warnings with `console`, and stdout may belong to a protocol.
 */
export function createIdentityProvider(options: {
  issuer: string;
  credentials: Credentials;
  resources: Resources;
}): { provider: Provider; mint: TokenMint } {
  const { issuer, credentials, resources } = options;
  const configuration: Configuration = {
    adapter: createMemoryAdapter(),
    jwks: { keys: [credentials.signingKey] },
    cookies: { keys: [], long: { signed: false }, short: { signed: false } },
    clients: clients(credentials),
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access', ...mcpScopes, ...platformScopes],
    findAccount: (_ctx, subject) => {
      const user = findUser(subject);
      return user && { accountId: subject, claims: () => ({ sub: subject, email: user.email }) };
    },
    extraTokenClaims: (_ctx, token) => {
      const user = token.kind === 'AccessToken' ? findUser(token.accountId) : undefined;
      return user && { email: user.email };
    },
    extraClientMetadata: {
      properties: ['scope'],
      // A client registers with the scopes it needs first; held to them, it could never ask for more (step-up).
      validator: (_ctx, _name, _value, metadata) => {
        delete metadata.scope;
      },
    },
    interactions: { policy: [] },
    loadExistingGrant: grantAsRequested,
    // OIDC Core §11: for those who asked to come back later, and nobody else.
    issueRefreshToken: (ctx, client) =>
      client.grantTypeAllowed('refresh_token') &&
      ctx.oidc.entities.Grant?.getOIDCScope().split(' ').includes('offline_access') === true,
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      ClientCredentials: 3600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 86_400,
      Session: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true, idFactory: () => `client-${randomBytes(8).toString('hex')}` },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => resources.lookUp(client.clientId, resource),
      },
    },
  };
  const provider = new Provider(issuer, configuration);
  const mint = createTokenMint(provider, resources);
  registerUserGrant(provider, mint);
  provider.use(async (ctx, next) => {
    if (ctx.path === '/health') {
      ctx.body = { status: 'ok' };
    } else {
      await next();
    }
  });
  signInAutomatically(provider);
  return { provider, mint };
}

function clients(credentials: Credentials): ClientMetadata[] {
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  return [
    { ...machine, client_id: 'mcp-server', client_secret: credentials.mcpServerSecret },
    { ...machine, client_id: 'ci-bot', client_secret: credentials.ciBotSecret },
    {
      client_id: userTokenClientId,
      token_endpoint_auth_method: 'none',
      grant_types: [userGrantType],
      redirect_uris: [],
      response_types: [],
    },
  ];
}
