import type { AuthError } from '../errors.ts';
import { withNeededScopes } from '../public-messages.ts';
import type { AuthErrorCode } from '../public-messages.ts';
import { advertisedScopes } from './resource-metadata.ts';

/** What a challenge tells the client. */
export interface ChallengeOptions {
  /** Where the protected resource metadata is: `metadataPaths(resource).url`. */
  readonly resourceMetadataUrl: string;
  /** Scopes to ask for: those of the operation when known, else a small basic set. An error's own scopes win. */
  readonly scopes: readonly string[];
  /** What clients must put before the names of scopes when they ask for them, as at Entra ID and Cognito. @default nothing */
  readonly scopePrefix?: string | undefined;
  /** The algorithms of DPoP proofs, where these are accepted: `keyProofs.algorithms`. @default DPoP is not offered */
  readonly dpopAlgorithms?: readonly string[] | undefined;
}

/** @throws {TypeError} naming the option and the value */
function resolveChallengeOptions(options: ChallengeOptions): ChallengeOptions {
  const { resourceMetadataUrl } = options;
  const url = URL.parse(resourceMetadataUrl);
  if (url === null) {
    throw new TypeError(
      `resourceMetadataUrl must be an absolute URL, got ${JSON.stringify(resourceMetadataUrl)}`,
    );
  }
  return { ...options, resourceMetadataUrl: url.href };
}

/** An HTTP response, header names in lower case. Nothing in it tells more than the error's code. */
export interface Challenge {
  readonly status: 400 | 401 | 403 | 503;
  /** `cache-control`, and as needed `www-authenticate`, `dpop-nonce` or `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;
  /** For `application/json`. */
  readonly body: { readonly error: AuthErrorCode; readonly error_description: string };
}

/**
 * The HTTP response to a failed authentication (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1): 401 and 403 with a
 * challenge, 400 for a malformed header, 503 with Retry-After when nothing could be decided.
 * @throws {TypeError} when `resourceMetadataUrl` is no URL
 */
export function challengeFor(error: AuthError, options: ChallengeOptions): Challenge {
  const resolved = resolveChallengeOptions(options);
  const offered = schemesOf(resolved);
  const scopes = advertisedScopes(
    error.requiredScopes.length > 0 ? error.requiredScopes : resolved.scopes,
    resolved.scopePrefix,
  );
  const common = {
    resource_metadata: resolved.resourceMetadataUrl,
    // RFC 6750 §3: a challenge without scopes has no `scope`.
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
  const description = error.publicMessage;
  switch (error.code) {
    case 'missing_token':
      // RFC 6750 §3.1: no error code when the client sent no credential.
      return refusal(401, { error, offered, parameters: common });
    case 'invalid_token':
      return refusal(401, { error, offered, parameters: oauthError('invalid_token', description, common) });
    case 'invalid_proof': {
      const dpop = offered.filter(({ scheme }) => scheme === 'DPoP');
      const { dpopNonce } = error;
      // RFC 9449 §9: the client repeats the request with a proof that holds this nonce.
      const code = dpopNonce === undefined ? 'invalid_dpop_proof' : 'use_dpop_nonce';
      const { status, headers, body } = refusal(401, {
        error,
        // RFC 9449 §7.1: only this scheme helps. Where it is not offered, another token does; a 401 always has a challenge
        // (RFC 9110 §15.5.2).
        ...(dpop.length > 0
          ? { offered: dpop, parameters: oauthError(code, description, common) }
          : { offered, parameters: oauthError('invalid_token', description, common) }),
      });
      return {
        status,
        headers: { ...headers, ...(dpopNonce !== undefined && { 'dpop-nonce': dpopNonce }) },
        body,
      };
    }
    case 'malformed_authorization':
      return refusal(400, { error, offered, parameters: oauthError('invalid_request', description, common) });
    case 'insufficient_scope': {
      const named = withNeededScopes(description, scopes);
      const parameters = oauthError('insufficient_scope', named, common);
      return refusal(403, { error, offered, parameters, description: named });
    }
    case 'access_denied':
      // No challenge: it would send the client for a token that changes nothing.
      return refusal(403, { error });
    case 'unavailable': {
      const { status, headers, body } = refusal(503, { error });
      const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
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
  if (dpopAlgorithms === undefined) {
    return [bearer];
  }
  return [bearer, { scheme: 'DPoP', parameters: { algs: dpopAlgorithms.join(' ') } }];
}

interface RefusalParts {
  readonly error: AuthError;
  /** The schemes to challenge with. @default no challenge */
  readonly offered?: readonly Scheme[] | undefined;
  /** What each challenge says. @default nothing */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** @default the error's public message */
  readonly description?: string | undefined;
}

function refusal(status: Challenge['status'], parts: RefusalParts): Challenge {
  const { error, offered = [], parameters, description = error.publicMessage } = parts;
  const challenges = offered.map(
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
