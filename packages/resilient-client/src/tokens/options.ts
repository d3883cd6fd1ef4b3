import type { Meter } from '@opentelemetry/api';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { isSafeOnTheWay } from '../http/safe-way.ts';
import type { Dispatcher } from '../http/undici-transport.ts';
import { systemClock, type Clock } from '../time/clock.ts';
import type { ClientAuthentication } from './client-authentication.ts';

/** The authorization server, and who asks it: `issuer` or `tokenUrl`, and `authentication` or `clientSecret`. */
export interface TokenEndpointOptions {
  /** The authorization server; its metadata says where its tokens are (RFC 8414, OpenID Connect), and is kept for an hour. */
  readonly issuer?: string | undefined;
  /** The token endpoint itself, for a server without metadata. */
  readonly tokenUrl?: string | undefined;
  readonly clientId: string;
  /** Lets secrets go over http to a host other than this one, such as into a mesh that encrypts by itself. @default false */
  readonly allowCleartextCredentials?: boolean | undefined;
  /** Short for `authentication` by `client_secret_basic`. Read before each token request. */
  readonly clientSecret?: (() => string | Promise<string>) | undefined;
  readonly authentication?: ClientAuthentication | undefined;
  /** Time for one request to the authorization server in whole milliseconds, from 1 to 2147483647. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** @default the system's clock and timers */
  readonly clock?: Clock | undefined;
  /** An undici dispatcher of your own; you close it. @default a new connection for each token request */
  readonly dispatcher?: Dispatcher | undefined;
  /** Measures `mcp_parts.client.token.duration`. @default nothing is measured */
  readonly meter?: Meter | undefined;
}

/** What a token is asked for, and when it is renewed. */
export interface TokenOptions extends TokenEndpointOptions {
  /** Space-separated scopes. @default what the server grants by itself */
  readonly scope?: string | undefined;
  /** What the token is for, as an absolute URI (RFC 8707). @default not sent */
  readonly resource?: string | undefined;
  /** The same for servers that know `audience` instead. @default not sent */
  readonly audience?: string | undefined;
  /**
   * A token is not used in its last milliseconds, these or half its life if that is shorter; a whole number from 1 to
   * 2147483647. @default 30_000
   */
  readonly skewMs?: number | undefined;
  /** From 0 to below 1, so that replicas do not renew together. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** {@link TokenOptions}, filled in and checked. */
export interface ResolvedTokenOptions {
  readonly server: TokenServer;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher | undefined;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  readonly audience: string | undefined;
  readonly skewMs: number;
  readonly random: () => number;
  readonly meter: Meter | undefined;
}

/** Whom to ask: a token endpoint, or an issuer whose metadata says where its token endpoint is. */
export interface TokenServer {
  readonly kind: 'issuer' | 'endpoint';
  readonly url: URL;
}

/**
 * Fills in and checks.
 * @throws {TypeError} for a URL that cannot work, or unless it is clear whom to ask and how.
 * @throws {RangeError} for a number out of range.
 */
export function resolveTokenOptions(options: TokenOptions): ResolvedTokenOptions {
  const { clientId, timeoutMs = 5_000, skewMs = 30_000, clock = systemClock, random = Math.random } = options;
  const { dispatcher, scope, resource, audience } = options;
  if (typeof clientId !== 'string' || clientId === '') {
    throw new TypeError(`clientId must be a string that is not empty, got ${JSON.stringify(clientId)}`);
  }
  checkWhole('timeoutMs', timeoutMs, 1, MAX_TIMER_MS);
  checkWhole('skewMs', skewMs, 1, MAX_TIMER_MS);
  return {
    server: serverOf(options),
    authentication: authenticationOf(options),
    clientId,
    timeoutMs,
    skewMs,
    clock,
    random,
    meter: options.meter,
    dispatcher,
    scope,
    resource,
    audience,
  };
}

function serverOf({ issuer, tokenUrl, allowCleartextCredentials = false }: TokenOptions): TokenServer {
  if ((issuer === undefined) === (tokenUrl === undefined)) {
    throw new TypeError('give either issuer or tokenUrl');
  }
  return issuer === undefined
    ? { kind: 'endpoint', url: parseUrl('tokenUrl', tokenUrl, allowCleartextCredentials) }
    : { kind: 'issuer', url: parseUrl('issuer', issuer, allowCleartextCredentials) };
}

function authenticationOf({ authentication, clientSecret }: TokenOptions): ClientAuthentication {
  if (authentication !== undefined && clientSecret === undefined) {
    return authentication;
  }
  if (authentication === undefined && clientSecret !== undefined) {
    return { method: 'client_secret_basic', clientSecret };
  }
  throw new TypeError('give either authentication or clientSecret');
}

function parseUrl(name: string, value: string | undefined, isCleartextAllowed: boolean): URL {
  const url = URL.parse(value ?? '');
  // Not the value itself, which may hold credentials.
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`${name} must be an absolute http(s) URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`${name} must not hold credentials`);
  }
  // RFC 6749 §3.2
  if (!isCleartextAllowed && !isSafeOnTheWay(url.origin)) {
    throw new TypeError(`${name} must use https; allowCleartextCredentials allows it without`);
  }
  return url;
}
