import type { Directory } from '../directory/directory.ts';
import { createGroupLookup } from '../directory/group-lookup.ts';
import type { GroupLookup } from '../directory/group-lookup.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import type { Policy } from '../policy/policy.ts';
import type { ProveConfirmation } from '../possession/confirmation.ts';
import type { KeyProofs, PresentedRequest } from '../possession/key-proof.ts';
import { credentialOf } from '../tokens/authorization-header.ts';
import type { Principal } from '../tokens/principal.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';
import type { Caller } from './caller.ts';

/** How old groups may be where they must be fresh. */
const FRESH_MS = 30_000;
const RETRY_AFTER_MS = 5_000;

export interface AuthenticatorOptions {
  readonly verifier: Pick<TokenVerifier, 'verify'> & Partial<Pick<TokenVerifier, 'issuers'>>;
  /**
   * Knows the groups of users whose token does not name them.
   * @default such users have no groups; one whose token says that there are too many to name is refused
   */
  readonly directory?: Directory | undefined;
  readonly policy: Pick<PolicyEngine, 'permissionsFor'> &
    Partial<Pick<Policy, 'unboundServices' | 'freshPermissions' | 'obtainableFor'>>;
  /** Checks tokens that are bound to a key. @default such tokens are refused */
  readonly proofs?: KeyProofs | undefined;
  /**
   * How long a user's groups are trusted, in milliseconds, give or take a tenth. The directory is asked again from
   * four fifths of it on, while calls go on with what is known. @default 300_000
   */
  readonly groupsTtlMs?: number | undefined;
  /**
   * How old groups may become while the directory cannot be asked, in milliseconds; then nobody gets in whose groups
   * it must know. @default 900_000, or groupsTtlMs if that is longer
   */
  readonly groupsMaxStaleMs?: number | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** As much of a caller as a server's own type of it has; `refresh` finds the rest on it. */
export type FreshCaller = Pick<Caller, 'id' | 'kind'>;

/** Turns a credential into a caller. Tokens are verified every time; only groups are cached. */
export interface Authenticator {
  /**
   * For HTTP: takes the value of the Authorization header, and the rest of the request where tokens may be bound to
   * a key (without it these are refused).
   * @throws AuthError with any code but `insufficient_scope`; the signal's reason
   */
  readonly authenticate: (
    authorizationHeader: string | undefined,
    options: { readonly signal: AbortSignal; readonly request?: PresentedRequest | undefined },
  ) => Promise<Caller>;
  /** For stdio: takes a token the process was given. @throws AuthError `invalid_token`, `access_denied`, `unavailable`; the signal's reason */
  readonly authenticateToken: (token: string, options: { readonly signal: AbortSignal }) => Promise<Caller>;
  /**
   * The same caller with groups of the last 30 seconds and the permissions that follow: for what must not rest on
   * older ones. A service or a local caller has no groups and is returned as it is.
   * @throws AuthError `unavailable` when the directory cannot be asked, `access_denied`; TypeError when `caller` does
   * not come from here; the signal's reason
   */
  readonly refresh: (caller: FreshCaller, options: { readonly signal: AbortSignal }) => Promise<Caller>;
  /** Forgets the groups of the principal with this `id`: the next call asks the directory. */
  readonly invalidate: (callerId: string) => void;
  /** Forgets all groups. */
  readonly clear: () => void;
  /** Ends directory lookups in flight. The verifier and the directory stay open: they were not made here. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Joins a verifier, a directory and a policy.
 * @throws RangeError naming the option; TypeError when the tokens come from several issuers and the policy names a
 * service without saying whose it is
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { verifier, directory, policy, proofs, groupsTtlMs = 300_000, now = () => Date.now() } = options;
  if (!(groupsTtlMs >= 0)) throw new RangeError(`groupsTtlMs must be 0 or more, got ${groupsTtlMs}`);
  const { groupsMaxStaleMs = Math.max(900_000, groupsTtlMs), random = Math.random } = options;
  if (!(groupsMaxStaleMs >= groupsTtlMs)) {
    throw new RangeError(`groupsMaxStaleMs must not be less than groupsTtlMs, got ${groupsMaxStaleMs}`);
  }
  const [unbound] = policy.unboundServices ?? [];
  // Any of the issuers could hand out that client id.
  if ((verifier.issuers?.length ?? 1) > 1 && unbound !== undefined) {
    throw new TypeError(`policy: with several issuers the grant of service ${unbound} must name its issuer`);
  }

  if (directory === undefined && (policy.freshPermissions ?? []).length > 0) {
    throw new TypeError(
      'policy: permissions that are fresh need a directory, for a token is never up to date',
    );
  }
  const lookup =
    directory &&
    createGroupLookup({ directory, ttlMs: groupsTtlMs, maxStaleMs: groupsMaxStaleMs, now, random });

  async function groupsOf(principal: Principal, signal: AbortSignal): Promise<CallerGroups> {
    // A service is nobody in the directory: its permissions come from the policy's `service` grants.
    if (principal.kind === 'service') return { groups: [] };
    if (typeof principal.tokenGroups === 'object') return { groups: principal.tokenGroups };
    if (lookup !== undefined) return lookUp(lookup, principal, { signal });
    if (principal.tokenGroups === undefined) return { groups: [] };
    throw new AuthError('access_denied', { message: 'groups overage: too many for a token, no directory' });
  }

  async function permissionsOf(
    subject: Principal & { readonly groups: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    try {
      return await policy.permissionsFor(subject, { signal });
    } catch (cause) {
      if (signal.aborted || isAuthError(cause)) throw cause;
      throw new AuthError('unavailable', {
        message: 'the policy engine cannot be asked',
        retryAfterMs: RETRY_AFTER_MS,
        cause,
      });
    }
  }

  async function callerOf(
    token: string,
    signal: AbortSignal,
    prove: ProveConfirmation | undefined,
  ): Promise<Caller> {
    const verified = await verifier.verify(token, { signal, ...(prove && { prove }) });
    const known = await groupsOf(verified, signal);
    const { tokenGroups: _, ...principal } = verified;
    const { groups } = known;
    return { ...principal, ...known, permissions: await permissionsOf({ ...principal, groups }, signal) };
  }

  async function callerOfHeader(
    authorizationHeader: string | undefined,
    signal: AbortSignal,
    request: PresentedRequest | undefined,
  ): Promise<Caller> {
    const { scheme, token } = credentialOf(authorizationHeader);
    // RFC 6750 §3.1: a scheme that is not supported here counts as no authentication information.
    if (scheme === 'DPoP' && (proofs === undefined || request === undefined)) {
      throw new AuthError('missing_token');
    }
    if (proofs === undefined || request === undefined) return callerOf(token, signal, undefined);
    let isBound = false;
    const caller = await callerOf(token, signal, async (confirmation) => {
      isBound = confirmation.jkt !== undefined;
      await proofs.verify(confirmation, { scheme, token, request });
    });
    // RFC 9449 §7.1: the proof says nothing about a token that is not bound to its key.
    if (scheme === 'DPoP' && !isBound) throw tokenRefused('sent as DPoP but not bound to a key');
    return caller;
  }

  const close = async (): Promise<void> => lookup?.close();
  return {
    async authenticate(authorizationHeader, { signal, request }) {
      const caller = await callerOfHeader(authorizationHeader, signal, request);
      const obtainablePermissions = policy.obtainableFor?.(caller);
      return { ...caller, ...(obtainablePermissions && { obtainablePermissions }) };
    },
    async authenticateToken(token, { signal }) {
      return callerOf(token, signal, undefined);
    },
    async refresh(caller, { signal }) {
      if (!isCaller(caller)) throw new TypeError('caller must be one that this package made');
      const { expiresAt } = caller;
      if (caller.kind === 'service' || expiresAt === undefined || lookup === undefined) return caller;
      const principal = { ...caller, expiresAt };
      const known = await lookUp(lookup, principal, { signal, maxAgeMs: FRESH_MS });
      const { groups } = known;
      return { ...caller, ...known, permissions: await permissionsOf({ ...principal, groups }, signal) };
    },
    invalidate: (callerId) => lookup?.invalidate(callerId),
    clear: () => lookup?.clear(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type CallerGroups = Pick<Caller, 'groups' | 'groupsAsOf'>;

async function lookUp(
  lookup: GroupLookup,
  principal: Principal,
  options: { readonly signal: AbortSignal; readonly maxAgeMs?: number | undefined },
): Promise<CallerGroups> {
  const { groups, asOf } = await lookup.groupsOf(principal, options);
  return { groups, groupsAsOf: asOf };
}

/** A server hands our callers about under its own, narrower type. */
function isCaller(caller: FreshCaller): caller is Caller {
  return (
    'issuer' in caller &&
    'subject' in caller &&
    caller.id === `${String(caller.issuer)}#${String(caller.subject)}`
  );
}
