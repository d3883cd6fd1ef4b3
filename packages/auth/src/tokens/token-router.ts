import { decodeJwt, errors } from 'jose';

import { tokenRefused } from '../errors.ts';
import { checkTokenLength } from './token-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** Which verifier takes which tokens. */
export interface TokenRouterOptions {
  /** One verifier per issuer of JWTs, from `createTokenVerifier`. */
  readonly jwt: readonly TokenVerifier[];
  /**
   * For tokens that are not JWTs, from `createIntrospectionVerifier`. Only one: an opaque token does not say who
   * issued it, and showing it to the wrong issuer gives it away. @default such tokens are refused
   */
  readonly opaque?: TokenVerifier | undefined;
}

interface ResolvedTokenRouterOptions {
  readonly byIssuer: ReadonlyMap<string, TokenVerifier>;
  readonly opaque: TokenVerifier | undefined;
}

/** @throws {TypeError} naming the option */
function resolveTokenRouterOptions({ jwt, opaque }: TokenRouterOptions): ResolvedTokenRouterOptions {
  if (!Array.isArray(jwt)) {
    throw new TypeError(`jwt must be a list of token verifiers, got ${JSON.stringify(jwt)}`);
  }
  const byIssuer = new Map<string, TokenVerifier>();
  for (const verifier of jwt) {
    for (const issuer of verifier.issuers) {
      if (byIssuer.has(issuer)) {
        throw new TypeError(`jwt: two verifiers for the issuer ${issuer}`);
      }
      byIssuer.set(issuer, verifier);
    }
  }
  if (byIssuer.size === 0) {
    throw new TypeError('jwt must name at least one verifier');
  }
  return { byIssuer, opaque };
}

/**
 * One verifier in front of several issuers. A token goes to the verifier of exactly its `iss`, which then has
 * that issuer's keys, audience and claims: a key of one issuer never vouches for a token of another.
 * @throws {TypeError} when there is no verifier, or two for one issuer
 */
export function createTokenRouter(options: TokenRouterOptions): TokenVerifier {
  const { byIssuer, opaque } = resolveTokenRouterOptions(options);

  function verifierFor(token: string): TokenVerifier {
    checkTokenLength(token);
    const issuer = unverifiedIssuer(token);
    if (issuer === undefined) {
      if (opaque === undefined) {
        throw tokenRefused('not a JWT');
      }
      return opaque;
    }
    const verifier = byIssuer.get(issuer);
    if (verifier === undefined) {
      throw tokenRefused('an issuer that is not accepted here');
    }
    return verifier;
  }

  const verifiers = new Set([...byIssuer.values(), ...(opaque === undefined ? [] : [opaque])]);
  const close = async (): Promise<void> => {
    await Promise.all([...verifiers].map((verifier) => verifier.close()));
  };
  return {
    issuers: [...new Set([...byIssuer.keys(), ...(opaque?.issuers ?? [])])],
    groupIssuers: [...new Set([...verifiers].flatMap(({ groupIssuers = [] }) => groupIssuers))],
    confirm: async (issuer, options) => byIssuer.get(issuer)?.confirm?.(issuer, options),
    ages: () => [...verifiers].flatMap(({ ages }) => ages?.() ?? []),
    async verify(token, options) {
      return verifierFor(token).verify(token, options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Only chooses the verifier, which checks `iss` again under the signature. `undefined` when it is no JWT. */
function unverifiedIssuer(token: string): string | undefined {
  // A JWS has three parts; an encrypted or opaque token has another form.
  if (token.split('.').length !== 3) {
    return undefined;
  }
  try {
    return decodeJwt(token).iss ?? '';
  } catch (error) {
    if (error instanceof errors.JWTInvalid) {
      return undefined;
    }
    throw error;
  }
}
