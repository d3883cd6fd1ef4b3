import { z } from 'zod';

import { secureUrl } from '../secure-url.ts';
import { fetchDocument } from './fetch-document.ts';

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string() });

/**
 * Finds where an issuer publishes its keys: RFC 8414 metadata first, then OpenID Connect Discovery. A place that answers
 * with anything else, such as a web application's page or a redirect to it, does not keep the next from being asked.
 * @throws {Error} when no place has a document of this issuer; its `cause` has what was wrong with each
 */
export async function discoverJwksUrl(issuer: string, signal: AbortSignal): Promise<URL> {
  const problems: unknown[] = [];
  for (const url of issuerMetadataUrls(issuer)) {
    try {
      return await jwksUrlAt(url, issuer, signal);
    } catch (error) {
      signal.throwIfAborted();
      problems.push(error);
    }
  }
  throw new Error(`no metadata of ${issuer} names a jwks_uri`, { cause: new AggregateError(problems) });
}

async function jwksUrlAt(url: string, issuer: string, signal: AbortSignal): Promise<URL> {
  const { status, text } = await fetchDocument(url, signal);
  if (status !== 200) {
    throw new Error(`the issuer responded with ${status} at ${url}`);
  }
  const metadata = metadataSchema.parse(JSON.parse(text));
  // RFC 8414 §3.3: identical, or the document is somebody else's.
  if (metadata.issuer !== issuer) {
    throw new Error(`the metadata at ${url} is of another issuer`);
  }
  return secureUrl(metadata.jwks_uri, 'jwks_uri');
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
