// The only file that knows oauth4webapi: it writes the messages, our own transport carries them.
import * as oauth from 'oauth4webapi';

import { ClientError } from '../errors/client-error.ts';
import type { ClientCertificate } from '../http/undici-transport.ts';
import type { Clock } from '../time/clock.ts';
import type { ClientAuthentication } from './client-authentication.ts';
import { createTokenFetch, type TokenFetch } from './fetch.ts';
import type { ResolvedTokenOptions, TokenServer } from './options.ts';
import { readJson, readTokenResponse, refusal, tokenError } from './response.ts';

/** A token as it was issued. */
export interface Grant {
  readonly value: string;
  /** What is left of its life in milliseconds. */
  readonly lifeMs: number;
}

/** Asks an authorization server for tokens. */
export interface TokenEndpoint {
  /** @throws {ClientError} when there is none to be had; `isRetryable` says whether to ask again */
  readonly request: (
    grantType: string,
    parameters: Readonly<Record<string, string | undefined>>,
  ) => Promise<Grant>;
}

/** Creates one; whoever calls it has checked the options. */
export function createTokenEndpoint(options: ResolvedTokenOptions): TokenEndpoint {
  const { clientId, clock, timeoutMs, authentication, server, dispatcher } = options;
  const client = {
    client_id: clientId,
    use_mtls_endpoint_aliases: authentication.method === 'tls_client_auth',
  };
  const send = createTokenFetch({ timeoutMs, clock, dispatcher });
  const locate = createLocator(server, send, clock);

  async function request(grantType: string, parameters: [string, string][]): Promise<Grant> {
    const { server, isInsecure } = await locate();
    const { proof, certificate } = await proofOf(authentication);
    const startedAt = clock.monotonicNow();
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      proof,
      grantType,
      new URLSearchParams(parameters),
      {
        [oauth.customFetch]: (url, init) => send(url, init, certificate),
        [oauth.allowInsecureRequests]: isInsecure,
      },
    );
    const { value, lifeMs } = await readTokenResponse(response, clock.now());
    // Counted from before the request: the way back is part of the token's life.
    return { value, lifeMs: lifeMs - (clock.monotonicNow() - startedAt) };
  }

  return {
    async request(grantType, parameters) {
      const given = Object.entries(parameters).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      try {
        return await request(grantType, given);
      } catch (cause) {
        if (cause instanceof ClientError) {
          throw cause;
        }
        throw tokenError({ code: 'unauthenticated', sent: 'no', cause });
      }
    },
  };
}

interface Location {
  readonly server: oauth.AuthorizationServer;
  /** Plain HTTP is accepted from discovery only where plain HTTP was asked for. */
  readonly isInsecure: boolean;
}

/** Where the token endpoint is. Concurrent callers share one look-up. */
function createLocator(asked: TokenServer, send: TokenFetch, clock: Clock): () => Promise<Location> {
  const { url } = asked;
  if (asked.kind === 'endpoint') {
    // RFC 7523 §3: without an issuer, a client assertion names the token endpoint as its audience.
    const server = { issuer: url.href, token_endpoint: url.href };
    return async () => ({ server, isInsecure: url.protocol === 'http:' });
  }
  let known: { readonly location: Promise<Location>; readonly until: number } | undefined;
  return () => {
    const now = clock.monotonicNow();
    if (known !== undefined && now < known.until) {
      return known.location;
    }
    const location = discover(url, send, clock);
    const current = { location, until: now + METADATA_LIFE_MS };
    known = current;
    // A failure is not kept; whoever asked hears of it through the promise itself.
    location.catch(() => {
      if (known === current) {
        known = undefined;
      }
    });
    return location;
  };
}

const METADATA_LIFE_MS = 3_600_000;

/**
 * Asks each well-known place in turn: RFC 8414 §3.1, OpenID Connect with the path inserted, and Discovery §4. Whatever a
 * place answers that is no metadata of this issuer (a web application's page, a redirect, an error) does not keep the next
 * from being asked. No answer at all does: they are all on one host.
 */
async function discover(issuer: URL, send: TokenFetch, clock: Clock): Promise<Location> {
  const isInsecure = issuer.protocol === 'http:';
  const path = issuer.pathname.replace(/\/$/, '');
  const inserted = `${issuer.origin}/.well-known/openid-configuration${path}`;
  const places = [
    { algorithm: 'oauth2' },
    ...(path === '' ? [] : [{ algorithm: 'oidc', url: inserted } as const]),
    { algorithm: 'oidc' },
  ] as const;

  const ask = async (place: { algorithm: 'oauth2' | 'oidc'; url?: string }): Promise<Location> => {
    const response = await oauth.discoveryRequest(issuer, {
      algorithm: place.algorithm,
      [oauth.customFetch]: (url, init) => send(place.url ?? url, init),
      [oauth.allowInsecureRequests]: isInsecure,
    });
    const { status } = response;
    if (status !== 200) {
      throw refusal(response, await readJson(response), clock.now());
    }
    try {
      const server = await oauth.processDiscoveryResponse(issuer, response);
      if (server.token_endpoint === undefined) {
        throw new TypeError('the metadata names no token endpoint');
      }
      return { server, isInsecure };
    } catch (cause) {
      throw tokenError({ code: 'invalid_response', sent: 'yes', status, cause });
    }
  };

  const failures: ClientError[] = [];
  for (const place of places) {
    try {
      return await ask(place);
    } catch (error) {
      if (!(error instanceof ClientError) || error.sent !== 'yes') {
        throw error;
      }
      failures.push(error);
    }
  }
  // What may be over in a moment says more than what is wrong for good, and that more than "not here".
  throw (
    failures.find(({ isRetryable }) => isRetryable) ??
    failures.find(({ status }) => status !== 404) ??
    failures[0]
  );
}

async function proofOf(
  authentication: ClientAuthentication,
): Promise<{ proof: oauth.ClientAuth; certificate?: ClientCertificate }> {
  switch (authentication.method) {
    case 'client_secret_basic':
      return { proof: oauth.ClientSecretBasic(await authentication.clientSecret()) };
    case 'client_secret_post':
      return { proof: oauth.ClientSecretPost(await authentication.clientSecret()) };
    case 'private_key_jwt': {
      const { key, keyId } = await authentication.privateKey();
      return { proof: oauth.PrivateKeyJwt(keyId === undefined ? { key } : { key, kid: keyId }) };
    }
    case 'tls_client_auth':
      return { proof: oauth.TlsClientAuth(), certificate: await authentication.certificate() };
    default:
      return authentication satisfies never;
  }
}
