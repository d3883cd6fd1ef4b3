import type { AuthError, AuthErrorCode } from '../errors.ts';
import { advertisedScopes } from './resource-metadata.ts';

/** What a challenge tells the client. */
export interface ChallengeOptions {
  /** Where the protected resource metadata is: `metadataPaths(resource).url`. */
  readonly resourceMetadataUrl: string;
  /** Scopes to ask for: those of the operation when known, else a small basic set. An error's own scopes win. */
  readonly scopes: readonly string[];
  /** The algorithms of DPoP proofs, where these are accepted: `keyProofs.algorithms`. @default DPoP is not offered */
  readonly dpopAlgorithms?: readonly string[] | undefined;
}

/** An HTTP answer, header names in lower case. Nothing in it tells more than the error's code. */
export interface Challenge {
  readonly status: 400 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** For `application/json`. */
  readonly body: { readonly error: AuthErrorCode; readonly error_description: string };
}

/**
 * The HTTP answer to a failed authentication (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1): 401 and 403 with a challenge, 400
 * for a malformed header, 503 with Retry-After when nothing could be decided.
 */
export function challengeFor(error: AuthError, options: ChallengeOptions): Challenge {
  const scopes = advertisedScopes(error.requiredScopes.length > 0 ? error.requiredScopes : options.scopes);
  const common = {
    resource_metadata: new URL(options.resourceMetadataUrl).href,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
  const description = error.publicMessage;
  const offered = schemesOf(options);
  switch (error.code) {
    case 'missing_token':
      // RFC 6750 §3.1: no error code when the client sent no credential.
      return answer(401, error, description, offered, common);
    case 'invalid_token':
      return answer(401, error, description, offered, oauthError('invalid_token', description, common));
    case 'invalid_proof': {
      // RFC 9449 §7.1. Only this scheme helps.
      const dpop = offered.filter(({ scheme }) => scheme === 'DPoP');
      return answer(401, error, description, dpop, oauthError('invalid_dpop_proof', description, common));
    }
    case 'malformed_authorization':
      return answer(400, error, description, offered, oauthError('invalid_request', description, common));
    case 'insufficient_scope': {
      // Some clients show the description only, so it names the scopes as well.
      const named = scopes.length > 0 ? `${description} Needed: ${scopes.join(' ')}` : description;
      return answer(403, error, named, offered, oauthError('insufficient_scope', named, common));
    }
    case 'access_denied':
      // No challenge: it would send the client for a token that changes nothing.
      return answer(403, error, description);
    case 'unavailable': {
      const { status, headers, body } = answer(503, error, description);
      const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
      return { status, headers: { ...headers, 'retry-after': String(seconds) }, body };
    }
    default:
      return error.code satisfies never;
  }
}

function oauthError(error: string, description: string, common: Readonly<Record<string, string>>) {
  return { error, error_description: description, ...common };
}

interface Scheme {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly parameters: Readonly<Record<string, string>>;
}

/** Bearer comes first: clients that read only one challenge read that one. */
function schemesOf({ dpopAlgorithms }: ChallengeOptions): readonly Scheme[] {
  const bearer: Scheme = { scheme: 'Bearer', parameters: {} };
  if (dpopAlgorithms === undefined) return [bearer];
  return [bearer, { scheme: 'DPoP', parameters: { algs: dpopAlgorithms.join(' ') } }];
}

function answer(
  status: Challenge['status'],
  error: AuthError,
  description: string,
  schemes: readonly Scheme[] = [],
  parameters: Readonly<Record<string, string>> = {},
): Challenge {
  const challenges = schemes.map(
    (offer) => `${offer.scheme} ${formatParameters({ ...parameters, ...offer.parameters })}`,
  );
  return {
    status,
    headers: {
      'cache-control': 'no-store',
      ...(challenges.length > 0 && { 'www-authenticate': challenges.join(', ') }),
    },
    body: { error: error.code, error_description: description },
  };
}

/** RFC 6750 §3 allows neither quote nor backslash in these values, so nothing needs an escape. */
function formatParameters(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}="${value.replaceAll(/[^\x20-\x7E]|["\\]/g, '')}"`)
    .join(', ');
}
