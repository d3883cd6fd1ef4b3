import { z } from 'zod';

import { secureUrl } from '../secure-url.ts';
import { fetchDocument } from './fetch-document.ts';

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string().optional() });

/**
 * Finds where an issuer publishes its keys: RFC 8414 metadata first, then OpenID Connect Discovery.
 * @throws {Error} when no document is found, or one names another issuer
 */
export async function discoverJwksUrl(issuer: string, signal: AbortSignal): Promise<URL> {
  for (const url of issuerMetadataUrls(issuer)) {
    const { status, text } = await fetchDocument(url, signal);
    if (status >= 400 && status < 500) {
      continue;
    }
    if (status !== 200) {
      throw new Error(`the issuer responded with ${status} at ${url}`);
    }
    const metadata = metadataSchema.parse(JSON.parse(text));
    // RFC 8414 §3.3: identical, or the document is somebody else's.
    if (metadata.issuer !== issuer) {
      throw new Error(`the metadata at ${url} is of another issuer`);
    }
    if (metadata.jwks_uri !== undefined) {
      return secureUrl(metadata.jwks_uri, 'jwks_uri');
    }
  }
  throw new Error(`no metadata of ${issuer} names a jwks_uri`);
}

/** The three places, in the order MCP gives: RFC 8414 §3.1, OIDC with the path inserted, OIDC Discovery §4. */
export function issuerMetadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ]),
  ];
}
