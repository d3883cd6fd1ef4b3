import { z } from 'zod';

import { tokenRefused } from '../errors.ts';
import { confirmationSchema } from '../possession/confirmation.ts';
import type { Confirmation } from '../possession/confirmation.ts';
import { groupsFromClaims } from './group-claim.ts';
import type { GroupClaimOptions } from './group-claim.ts';
import { checkAccessToken, isServiceToken } from './token-kind.ts';

/** Who a verified token speaks for, and within which limits. Holds no part of the token's text. */
export interface Principal {
  /** `issuer#subject`: the only identity. E-mail addresses and names change hands, this does not. */
  readonly id: string;
  /** Who vouches for the subject: the token's `iss`. */
  readonly issuer: string;
  /** The name that the issuer gave, unique there: the token's `sub`. */
  readonly subject: string;
  /** `service` when the token was issued to a client for itself (client credentials). */
  readonly kind: 'user' | 'service';
  /** The OAuth client that asked for the token. May be a URL. */
  readonly clientId?: string | undefined;
  /** What the token's owner let this client do. */
  readonly scopes: readonly string[];
  /** When the token ends, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** For display and audit only. */
  readonly displayName?: string | undefined;
  /** For display and audit only. */
  readonly email?: string | undefined;
  /**
   * The groups that the token itself names, where its issuer is trusted with that; `overage` when there are too
   * many for a token and a directory must be asked.
   */
  readonly tokenGroups?: readonly string[] | 'overage' | undefined;
}

/** A principal, and the key that its token is bound to, if it is. */
export interface TokenIdentity {
  readonly principal: Principal;
  readonly confirmation?: Confirmation | undefined;
}

/** Control characters, and those that turn text around or break it, would reach logs and audit records. */
const PLAIN_TEXT = /^[^\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]+$/u;
/** The end of the year 9999, in seconds since the Unix epoch. */
const LAST_SECOND = 253_402_300_799;

// OIDC Core §2: at most 255 characters.
const identifier = z.string().min(1).max(255).regex(PLAIN_TEXT);
const label = z.string().min(1).max(200).regex(PLAIN_TEXT).optional().catch(undefined);
/** RFC 6749 §3.3: printable ASCII without space, quote and backslash. */
const scopeToken = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
const scopeArray = z.array(scopeToken);
const scopeText = z
  .string()
  .transform((text) => text.split(' ').filter((scope) => scope !== ''))
  .pipe(scopeArray);
const scopes = z.union([scopeText, scopeArray]).optional();

const claimsSchema = z.object({
  iss: z.string(),
  sub: identifier,
  exp: z.number().min(0).max(LAST_SECOND),
  iat: z.number().optional(),
  client_id: identifier.optional(),
  azp: identifier.optional(),
  /** Okta's name for `client_id`. */
  cid: identifier.optional(),
  /** Entra ID's, in version 1 tokens. */
  appid: identifier.optional(),
  /** RFC 9068 §2.2.3: one text. IdentityServer sends a list. */
  scope: scopes,
  /** The name some issuers give to `scope`. */
  scp: scopes,
  name: label,
  preferred_username: label,
  email: label,
  email_verified: z.unknown().optional(),
  cnf: confirmationSchema.optional(),
});

/**
 * Reads the claims of a token whose signature, issuer and times were checked.
 * @throws {AuthError} `invalid_token` when it is no access token, when a claim is missing or has a wrong shape, or binds
 * the token to a key in a way that is not known here
 */
export function identityFromClaims(
  received: Readonly<Record<string, unknown>>,
  options: {
    readonly groups?: GroupClaimOptions | undefined;
    readonly missingSubject: 'refuse' | 'service';
  },
): TokenIdentity {
  const { groups } = options;
  const claims = presentClaims(received, options.missingSubject);
  checkAccessToken(claims);
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    // Names of claims only: values are an attacker's text.
    const names = new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? 'claims')));
    throw tokenRefused(`unusable claims ${[...names].join(', ')}`);
  }
  const { iss, sub, exp, scope, scp, name, preferred_username, email, email_verified, cnf } = parsed.data;
  const principal: Principal = {
    id: `${iss}#${sub}`,
    issuer: iss,
    subject: sub,
    kind: isServiceToken(claims) ? 'service' : 'user',
    clientId: clientOf(parsed.data),
    scopes: [...new Set([...(scope ?? []), ...(scp ?? [])])],
    expiresAt: exp * 1000,
    displayName: name ?? preferred_username,
    email: email_verified === false ? undefined : email,
    tokenGroups: groups && groupsFromClaims(claims, groups),
  };
  return { principal, confirmation: cnf };
}

/** The claims that say something: `null` counts as absent. A missing subject is its client where the options say so. */
function presentClaims(
  received: Readonly<Record<string, unknown>>,
  missingSubject: 'refuse' | 'service',
): Readonly<Record<string, unknown>> {
  const claims = Object.fromEntries(Object.entries(received).filter(([, value]) => value !== null));
  return claims['sub'] === undefined && missingSubject === 'service'
    ? { ...claims, sub: clientOf(claims) }
    : claims;
}

/** The OAuth client, under the name that the issuer gives it. */
function clientOf<T>(claims: {
  readonly client_id?: T;
  readonly azp?: T;
  readonly cid?: T;
  readonly appid?: T;
}): T | undefined {
  return claims.client_id ?? claims.azp ?? claims.cid ?? claims.appid;
}
