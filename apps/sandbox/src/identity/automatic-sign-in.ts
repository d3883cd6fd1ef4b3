import type { Provider, Grant, KoaContextWithOIDC } from 'oidc-provider';

import { findUser, users } from './directory.ts';

const SESSION_SECONDS = 3600;

/**
 * Grants every authorization request at once, as the user named by `login_hint` (the first user without one):
 * there is no sign-in page, and a client without a browser or cookies can follow the redirect.
 */
export function signInAutomatically(provider: Provider): void {
  provider.use(async (ctx, next) => {
    if (ctx.path === '/auth' && ctx.method === 'GET') {
      const user = findUser(ctx.query['login_hint']) ?? users[0];
      const session = new provider.Session();
      session.loginAccount({ accountId: user.subject });
      ctx.req.headers.cookie = `${provider.cookieName('session')}=${await session.save(SESSION_SECONDS)}`;
      // Nobody is there to be prompted.
      const { prompt: _prompt, ...query } = ctx.query;
      ctx.query = query;
    }
    await next();
  });
}

/** Grants everything that was asked for; to be used as the provider's `loadExistingGrant`. */
export async function grantAsRequested(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { provider, client, session, resourceServers, requestParamOIDCScopes, requestParamScopes } = ctx.oidc;
  if (!client || session?.accountId === undefined) {
    return undefined;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(requestParamOIDCScopes);
  if (asksForOfflineAccess(ctx)) {
    // The provider drops it where nobody is prompted.
    grant.addOIDCScope('offline_access');
  }
  for (const [resource, server] of Object.entries(resourceServers ?? {})) {
    grant.addResourceScope(
      resource,
      [...requestParamScopes].filter((scope) => server.scopes.has(scope)),
    );
  }
  await grant.save();
  return grant;
}

function asksForOfflineAccess({ query }: KoaContextWithOIDC): boolean {
  return [query['scope']].flat().some((scope) => scope?.split(' ').includes('offline_access'));
}
