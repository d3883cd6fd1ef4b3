import { tokenRefused } from '../errors.ts';
import type { Claims } from './claim-path.ts';

/**
 * Where issuers say in the claims what they signed: Keycloak (`typ`: `Bearer`, `ID`, `Refresh`, `Offline`, `Logout`),
 * Cognito and Hydra (`token_use`), RFC 7662 §2.2 and some endpoints that answer for refresh tokens too (`token_type`),
 * OpenIddict (`token_usage`, `oi_tkn_typ`), PingAM (`tokenName`).
 */
const KIND_CLAIMS = ['typ', 'token_use', 'token_type', 'token_usage', 'oi_tkn_typ', 'tokenName'] as const;
const ACCESS =
  /^(?:application\/)?(?:bearer|dpop|at\+jwt|(?:urn:ietf:params:oauth:token-type:)?access(?:_token)?)$/i;
/** Says nothing of what the token is for. */
const NEUTRAL = /^(?:application\/|urn:ietf:params:oauth:token-type:)?jwt$/i;

/**
 * Claims that only other tokens have: OIDC Core §2 and §3.1.3.6 (an ID token's nonce, and the hashes of what is issued beside
 * it), RFC 8417 §2.2 (a logout token is a security event), RFC 9449 §4.2 (a proof), RFC 9701 §5 (an introspection response).
 */
const FOREIGN_CLAIMS = [
  'nonce',
  'at_hash',
  'c_hash',
  's_hash',
  'events',
  'htm',
  'htu',
  'token_introspection',
] as const;

/** Claims that RFC 9068 and the issuers' documentation put into access tokens and not into ID tokens. */
const ACCESS_CLAIMS = ['client_id', 'scope', 'scp', 'cid', 'appid', 'gty', 'idtyp'] as const;

/** What only a person who signed in has: a client's own token has none of these. */
const PERSON_CLAIMS = [
  'auth_time',
  'amr',
  'idp',
  'sid',
  'upn',
  'unique_name',
  'username',
  'preferred_username',
  'email',
] as const;

/**
 * Refuses what an issuer signs, or calls active, without it being an access token: an ID token tells a client who signed
 * in, a refresh token buys tokens; neither may do anything here (RFC 9068 §2.1, RFC 8725 §3.11).
 * @throws {AuthError} `invalid_token`
 */
export function checkAccessToken(claims: Claims): void {
  const isOther = KIND_CLAIMS.some((name) => {
    const kind = claims[name];
    return kind !== undefined && !(isText(kind) && (ACCESS.test(kind) || NEUTRAL.test(kind)));
  });
  if (isOther || FOREIGN_CLAIMS.some((name) => claims[name] !== undefined)) {
    throw tokenRefused('not an access token');
  }
}

/** Whether the issuer calls it an access token. */
export function saysAccessToken(claims: Claims): boolean {
  return KIND_CLAIMS.some((name) => {
    const kind = claims[name];
    return isText(kind) && ACCESS.test(kind);
  });
}

/** Whether it has what no ID token has, or is a client's own: ID tokens are about people. */
export function looksLikeAccessToken(claims: Claims): boolean {
  return (
    saysAccessToken(claims) ||
    ACCESS_CLAIMS.some((name) => claims[name] !== undefined) ||
    isServiceToken(claims)
  );
}

/** The OAuth client, under the name that its issuer gives it: RFC 9068, OIDC, Okta, Entra ID's version 1. */
export function clientOf(claims: Claims): unknown {
  return claims['client_id'] ?? claims['azp'] ?? claims['cid'] ?? claims['appid'];
}

/** Whether there are marks of a person in it. */
export function isPersonal(claims: Claims): boolean {
  return PERSON_CLAIMS.some((name) => claims[name] !== undefined);
}

/** Whether a client got the token for itself, by what RFC 9068 §2.2 or its issuer's documentation says of such tokens. */
export function isServiceToken(claims: Claims): boolean {
  const { sub, idtyp, oid, gty, cid, uid, jti } = claims;
  // Entra ID: `app` or `user`.
  if (idtyp !== undefined) {
    return idtyp === 'app';
  }
  const clients = ['client_id', 'azp', 'cid', 'appid'].map((name) => claims[name]).filter(isText);
  return (
    // Entra ID: a person's `sub` is another for each application, an application's is what it is in the whole tenant.
    (isText(sub) && (oid === sub || clients.includes(sub))) ||
    // Auth0.
    gty === 'client-credentials' ||
    clients.some((client) => sub === `${client}@clients`) ||
    // Okta, whose `sub` an administrator may define as anything. People have a `uid`.
    (cid !== undefined && uid === undefined) ||
    isServiceAccount(claims, clients) ||
    // Keycloak 26: session type, token type, grant.
    (isText(jti) && /^[a-z]{4}cc:/.test(jti))
  );
}

/** Keycloak's service accounts are users. People may choose such a name, but not their session or these claims. */
function isServiceAccount(claims: Claims, clients: readonly string[]): boolean {
  const { preferred_username: name, sid, clientHost, clientAddress } = claims;
  if (!isText(name)) {
    return clientHost !== undefined || clientAddress !== undefined;
  }
  const isNamedSo = clients.some(
    (client) => name.toLowerCase() === `service-account-${client.toLowerCase()}`,
  );
  return isNamedSo && (sid === undefined || clientHost !== undefined || clientAddress !== undefined);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
