import { AuthError, tokenRefused } from '../errors.ts';
import { worstAges } from '../facts/fact-age.ts';
import type { FactAges } from '../facts/fact-age.ts';
import type { ProveConfirmation } from '../possession/confirmation.ts';
import type { PresentedRequest } from '../possession/presented-request.ts';
import { credentialOf } from '../tokens/authorization-header.ts';
import type { VerifyOptions } from '../tokens/token-verifier.ts';
import { resolveAuthenticatorOptions } from './authenticator-options.ts';
import type { AuthenticatorOptions } from './authenticator-options.ts';
import type { Caller } from './caller.ts';
import { createPrincipalRights } from './principal-rights.ts';

/** As much of a caller as a server's own type of it has; `refresh` finds the rest on it. */
export type FreshCaller = Pick<Caller, 'id' | 'kind' | 'groupsAsOf'>;

/** Turns a credential into a caller. Tokens are verified every time; groups are cached, and good signatures for 30 seconds. */
export interface Authenticator {
  /**
   * For HTTP: takes the value of the Authorization header, and the rest of the request where tokens may be bound to
   * a key (without it these are refused).
   * @throws {AuthError} any code but `insufficient_scope`; the signal's reason
   */
  readonly authenticate: (
    authorizationHeader: string | undefined,
    options: { readonly signal: AbortSignal; readonly request?: PresentedRequest | undefined },
  ) => Promise<Caller>;
  /**
   * For stdio: takes a token the process was given.
   * @throws {AuthError} `invalid_token`, `access_denied`, `unavailable`; the signal's reason
   */
  readonly authenticateToken: (token: string, options: { readonly signal: AbortSignal }) => Promise<Caller>;
  /**
   * The same caller with groups of the last 30 seconds and the permissions that follow, for what must not rest on older
   * ones, nor on keys of the issuer that could not be loaded again for 10 minutes. A service or a local caller has no
   * groups.
   * @throws {AuthError} `unavailable` when the directory or the issuer cannot be asked, `access_denied`; the signal's
   * reason
   * @throws {TypeError} when `caller` does not come from here
   */
  readonly refresh: (caller: FreshCaller, options: { readonly signal: AbortSignal }) => Promise<Caller>;
  /**
   * The same caller, for one who stays, as on stdio or in a task: with other groups where it has had these for
   * `groupsTtlMs`, and in an outage of the directory for at most `groupsMaxStaleMs`.
   * @throws {AuthError} `unavailable`, `access_denied`; the signal's reason
   * @throws {TypeError} when `caller` does not come from here
   */
  readonly renew: (caller: FreshCaller, options: { readonly signal: AbortSignal }) => Promise<Caller>;
  /**
   * How old everything is that callers and their permissions rest on: of verifier, directory, groups and policy, the
   * worst of each. For health and metrics.
   */
  readonly ages: FactAges;
  /** Forgets the groups of the principal with this `id`: the next call asks the directory. */
  readonly invalidate: (callerId: string) => void;
  /** Forgets all groups. */
  readonly clear: () => void;
  /** Ends directory lookups in flight. The verifier and the directory stay open: they were not made here. */
  readonly close: () => Promise<void>;
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Joins a verifier, a directory and a policy.
 * @throws {RangeError} naming the option
 * @throws {TypeError} naming the option; also when the tokens come from several issuers and the policy names a service
 * without saying whose it is
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const resolved = resolveAuthenticatorOptions(options);
  const { verifier, policy, proofs } = resolved;
  const rights = createPrincipalRights(resolved);

  async function callerOf(token: string, options: VerifyOptions): Promise<Caller> {
    return rights.callerOf(await verifier.verify(token, options), options.signal);
  }

  async function callerOfHeader(
    authorizationHeader: string | undefined,
    signal: AbortSignal,
    request: PresentedRequest | undefined,
  ): Promise<Caller> {
    const { scheme, token } = credentialOf(authorizationHeader);
    const source = request?.address;
    if (proofs === undefined || request === undefined) {
      // RFC 6750 §3.1: a scheme that is not supported here counts as no authentication information.
      if (scheme === 'DPoP') {
        throw new AuthError('missing_token');
      }
      return callerOf(token, { signal, source });
    }
    let isBound = false;
    const prove: ProveConfirmation = async (confirmation, owner) => {
      isBound = confirmation.jkt !== undefined;
      await proofs.verify(confirmation, { scheme, token, request, owner });
    };
    const caller = await callerOf(token, { signal, source, prove });
    // RFC 9449 §7.1: the proof says nothing about a token that is not bound to its key.
    if (scheme === 'DPoP' && !isBound) {
      throw tokenRefused('sent as DPoP but not bound to a key');
    }
    return caller;
  }

  const close = async (): Promise<void> => rights.close();
  return {
    async authenticate(authorizationHeader, { signal, request }) {
      const caller = await callerOfHeader(authorizationHeader, signal, request);
      return { ...caller, obtainablePermissions: policy.obtainableFor?.(caller) };
    },
    async authenticateToken(token, { signal }) {
      return callerOf(token, { signal });
    },
    async refresh(caller, { signal }) {
      if (!isCaller(caller)) {
        throw new TypeError('caller must be one that this package made');
      }
      const [refreshed] = await Promise.all([
        rights.refresh(caller, signal),
        // Nobody issued a token to a local caller.
        caller.expiresAt === undefined ? undefined : verifier.confirm?.(caller.issuer, { signal }),
      ]);
      return refreshed;
    },
    async renew(caller, { signal }) {
      if (!isCaller(caller)) {
        throw new TypeError('caller must be one that this package made');
      }
      return rights.renew(caller, signal);
    },
    ages: () =>
      worstAges(
        [verifier.ages, resolved.directory?.ages, rights.ages, policy.ages].flatMap((ages) => ages?.() ?? []),
      ),
    invalidate: rights.invalidate,
    clear: rights.clear,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A server hands our callers about under its own, narrower type. */
function isCaller(caller: FreshCaller): caller is Caller {
  return (
    'issuer' in caller &&
    'subject' in caller &&
    caller.id === `${String(caller.issuer)}#${String(caller.subject)}`
  );
}
