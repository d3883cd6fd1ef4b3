import { z } from 'zod';

import { presentClaims } from '../claims/claim-path.ts';
import type { Claims } from '../claims/claim-path.ts';
import { groupsFromClaims } from '../claims/group-claim.ts';
import { identifierText, labelText } from '../claims/plain-text.ts';
import { scopesOf } from '../claims/scopes.ts';
import { checkAccessToken, clientOf, isPersonal } from '../claims/token-kind.ts';
import type { TokenRules } from '../claims/token-rules.ts';
import { tokenRefused } from '../errors.ts';
import { confirmationSchema } from '../possession/confirmation.ts';
import type { Confirmation } from '../possession/confirmation.ts';

/** Who a verified token speaks for, and within which limits. Holds no part of the token's text. */
export interface Principal {
  /** `issuer#subject`: the only identity. E-mail addresses and names change hands, this does not. */
  readonly id: string;
  /** Who vouches for the subject: the token's `iss`. */
  readonly issuer: string;
  /** The lasting name that the issuer gave, unique there: the token's `sub`, or what its provider has instead. */
  readonly subject: string;
  /** `service` when the token was issued to a client for itself (client credentials). */
  readonly kind: 'user' | 'service';
  /** The OAuth client that asked for the token. May be a URL. */
  readonly clientId?: string | undefined;
  /** What the token's owner let this client do; of a service, what an administrator let it do. */
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

/** The end of the year 9999, in seconds since the Unix epoch. */
const LAST_SECOND = 253_402_300_799;

// OIDC Core §2: at most 255 characters.
const identifier = identifierText(255);

const claimsSchema = z.object({
  iss: identifierText(2_048),
  sub: identifier,
  exp: z.number().min(0).max(LAST_SECOND),
  iat: z.number().optional(),
  jti: identifierText(1_024).optional(),
  client_id: identifier.optional(),
  azp: identifier.optional(),
  /** Okta's name for `client_id`. */
  cid: identifier.optional(),
  /** Entra ID's, in version 1 tokens. */
  appid: identifier.optional(),
  name: labelText,
  preferred_username: labelText,
  email: labelText,
  /** Documented as a boolean; some send a text. */
  email_verified: z.unknown().optional(),
  cnf: confirmationSchema.optional(),
});

/**
 * Reads the claims of a token whose signature, issuer and times were checked. `isTyped` says that the header showed an access
 * token, so that the claims need not.
 * @throws {AuthError} `invalid_token` when it is no access token, when a claim is missing or has a wrong shape, or binds
 * the token to a key in a way that is not known here
 */
export function identityFromClaims(
  received: Claims,
  rules: TokenRules,
  { isTyped }: { readonly isTyped: boolean },
): TokenIdentity {
  const claims = presentClaims(received);
  checkAccessToken(claims);
  if (!isTyped && !rules.isAccessToken(claims)) {
    throw tokenRefused('not shown to be an access token');
  }
  const kind = kindOf(claims, rules);
  const parsed = claimsSchema.safeParse({ ...claims, sub: subjectOf(claims, kind, rules) });
  if (!parsed.success) {
    // Names of claims only: values are an attacker's text.
    const names = new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? 'claims')));
    throw tokenRefused(`unusable claims ${[...names].join(', ')}`);
  }
  const { iss, sub, exp, name, preferred_username, email, email_verified, cnf, ...clients } = parsed.data;
  const clientId = clients.client_id ?? clients.azp ?? clients.cid ?? clients.appid;
  if (rules.clients !== undefined && (clientId === undefined || !rules.clients.has(clientId))) {
    throw tokenRefused('issued to a client that is not one of ours');
  }
  const scopeClaims = kind === 'service' ? rules.serviceScopeClaims : rules.scopeClaims;
  const principal: Principal = {
    id: `${iss}#${sub}`,
    issuer: iss,
    subject: sub,
    kind,
    clientId,
    scopes: scopesOf(claims, scopeClaims, rules.scopePrefix),
    expiresAt: exp * 1000,
    displayName: name ?? preferred_username,
    email: [undefined, true, 'true'].includes(email_verified as boolean | undefined) ? email : undefined,
    tokenGroups: rules.groups && groupsFromClaims(claims, rules.groups),
  };
  return { principal, confirmation: cnf };
}

function kindOf(claims: Claims, rules: TokenRules): Principal['kind'] {
  if (claims['sub'] !== undefined || rules.missingSubject === 'refuse') {
    return rules.isService(claims) ? 'service' : 'user';
  }
  if (isPersonal(claims)) {
    throw tokenRefused('issued for a person, without a subject');
  }
  return 'service';
}

/** The claim that the rules name, and no other in its place. */
function subjectOf(claims: Claims, kind: Principal['kind'], rules: TokenRules): unknown {
  const name = kind === 'user' ? rules.subjectClaim : rules.serviceSubjectClaim;
  const isMissing = kind === 'service' && claims['sub'] === undefined && rules.missingSubject === 'service';
  return name === undefined || isMissing ? clientOf(claims) : claims[name];
}
