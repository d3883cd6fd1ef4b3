import { z } from 'zod';

import { tokenRefused } from '../errors.ts';

/** A claim of another shape says nothing here; those that matter are checked where they are used. */
const text = z.string().optional().catch(undefined);

const kindSchema = z.object({
  sub: text,
  /** Keycloak says it in the claims too: `Bearer`, `DPoP`, `ID`, `Refresh`, `Offline`, `Logout`. */
  typ: text,
  /** Cognito: `access` or `id`. */
  token_use: text,
  /** RFC 7662 §2.2. Some endpoints answer for refresh tokens as well and say so here. */
  token_type: text,
  client_id: text,
  azp: text,
  /** Okta's name for `client_id`. */
  cid: text,
  /** Entra ID's, in version 1 tokens. */
  appid: text,
  /** Auth0. */
  gty: text,
  /** Entra ID: `app` or `user`. */
  idtyp: text,
  /** Entra ID: who it is in the whole tenant. A user's `sub` is another for each application, an application's is this. */
  oid: text,
  preferred_username: text,
  /** Keycloak: the session of a person who signed in. */
  sid: text,
});

/** `Bearer`, `DPoP`, `at+jwt` and the like are what an access token may call itself. */
const OTHER_KINDS = /^(id|id_token|refresh|refresh_token|offline|logout|logout_token)$/i;

/**
 * Refuses what an issuer signs, or calls active, without it being an access token: an ID token tells a client who
 * signed in, a refresh token buys tokens; neither may do anything here (RFC 9068 §2.1, RFC 8725 §3.11).
 * @throws {AuthError} `invalid_token`
 */
export function checkAccessToken(claims: unknown): void {
  const { typ, token_use, token_type } = kindSchema.safeParse(claims).data ?? {};
  const isOther = [typ, token_use, token_type].some((kind) => kind !== undefined && OTHER_KINDS.test(kind));
  // OIDC Core §3.1.3.6: hashes of what is issued beside an ID token, in no other kind of token.
  const isHashing = ['at_hash', 'c_hash', 's_hash'].some((claim) => Object.hasOwn(Object(claims), claim));
  if (isOther || isHashing) {
    throw tokenRefused('not an access token');
  }
}

/** Whether a client got the token for itself, by what RFC 9068 §2.2 or its issuer's documentation says of such tokens. */
export function isServiceToken(claims: unknown): boolean {
  const { sub, client_id, azp, cid, appid, gty, idtyp, oid, preferred_username, sid } =
    kindSchema.safeParse(claims).data ?? {};
  if (idtyp !== undefined) {
    return idtyp === 'app';
  }
  const clients = [client_id, azp, cid, appid].filter((client) => client !== undefined);
  return (
    (sub !== undefined && (oid === sub || clients.includes(sub))) ||
    gty === 'client-credentials' ||
    // Auth0.
    clients.some((client) => sub === `${client}@clients`) ||
    // Keycloak, whose service accounts are users without a session. People may choose such a name, but not their `sid`.
    (sid === undefined &&
      clients.some(
        (client) => preferred_username?.toLowerCase() === `service-account-${client.toLowerCase()}`,
      ))
  );
}
