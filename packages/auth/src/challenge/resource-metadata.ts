import { checkAudienceUri, secureUrl } from '../secure-url.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** What a server says about itself. */
export interface ProtectedResourceOptions {
  /** The server's public URL: the `audience` of its token verifier. https, or http on loopback. */
  readonly resource: string;
  /** Issuers whose tokens it accepts, at least one. */
  readonly authorizationServers: readonly string[];
  /** Scopes it knows; `offline_access` is left out, since it is between a client and its issuer. @default not said */
  readonly scopes?: readonly string[] | undefined;
  /** What clients must put before the names of scopes when they ask for them, as at Entra ID and Cognito. @default nothing */
  readonly scopePrefix?: string | undefined;
  /** The server's name for people. @default not said */
  readonly resourceName?: string | undefined;
}

/** @throws {TypeError} naming the option and the value */
function resolveProtectedResourceOptions(options: ProtectedResourceOptions): ProtectedResourceOptions {
  const { resource, authorizationServers } = options;
  const canonical = checkResource(resource);
  if (!Array.isArray(authorizationServers) || authorizationServers.length === 0) {
    throw new TypeError('authorizationServers must name at least one issuer');
  }
  for (const issuer of authorizationServers) {
    secureUrl(issuer, 'authorizationServers');
  }
  return { ...options, resource: canonical };
}

/** Protected resource metadata, RFC 9728 §2. */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly scopes_supported?: readonly string[] | undefined;
  readonly resource_name?: string | undefined;
}

/**
 * The document that tells clients where to get a token for this server (RFC 9728).
 * @throws {TypeError} naming the option
 */
export function protectedResourceMetadata(options: ProtectedResourceOptions): ProtectedResourceMetadata {
  const { resource, authorizationServers, scopes, scopePrefix, resourceName } =
    resolveProtectedResourceOptions(options);
  return {
    resource,
    authorization_servers: [...authorizationServers],
    bearer_methods_supported: ['header'],
    // What is not known must be absent from the document.
    ...(scopes !== undefined && { scopes_supported: advertisedScopes(scopes, scopePrefix) }),
    ...(resourceName !== undefined && { resource_name: resourceName }),
  };
}

/**
 * Where the document is served: `paths` lists the path-inserted place of RFC 9728 §3.1 and the root one that
 * MCP clients try next; `url` is the address for the challenge.
 * @throws {TypeError} when `resource` is not https, or http on loopback
 */
export function metadataPaths(resource: string): { readonly paths: readonly string[]; readonly url: string } {
  const { origin, pathname } = new URL(checkResource(resource));
  const inserted = pathname === '/' ? WELL_KNOWN : WELL_KNOWN + pathname;
  return { paths: [...new Set([inserted, WELL_KNOWN])], url: origin + inserted };
}

/** Leaves out what only concerns a client and its issuer. MCP authorization, "Refresh Tokens". */
export function advertisedScopes(scopes: readonly string[], prefix = ''): readonly string[] {
  return [...new Set(scopes)].filter((scope) => scope !== 'offline_access').map((scope) => prefix + scope);
}

function checkResource(resource: string): string {
  const url = secureUrl(resource, 'resource');
  if (url.hash !== '' || url.search !== '') {
    throw new TypeError(`resource must have no query or fragment, got ${JSON.stringify(resource)}`);
  }
  return checkAudienceUri(resource, 'resource');
}
