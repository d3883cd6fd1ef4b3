import { principalOf } from '../tokens/principal.ts';
import type { TokenSource } from '../tokens/source.ts';

/** What tells the callers of a client apart. */
export interface CallerInput {
  /** Named by the call itself. */
  readonly caller?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The source of the call's own token. */
  readonly token?: TokenSource | undefined;
}

/**
 * Whom a call is made for: what it says itself, else what its headers say. They name a principal when a word of theirs
 * does (`X-User`, `X-Forwarded-Email`, `X-Tenant-Id`) or when they carry its credentials (`Authorization`, `Cookie`,
 * `X-Api-Key`).
 */
export function namedCaller({ caller, headers }: CallerInput): string | undefined {
  if (caller !== undefined || headers === undefined) {
    return caller;
  }
  const principals = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => isPrincipalHeader(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return principals.length === 0 ? undefined : principalOf(JSON.stringify(principals));
}

/** The token's principal together with whoever is named beside it; undefined for a call without either. */
export function callerOf(
  named: string | undefined,
  source: TokenSource | undefined,
  token: string | undefined,
): string | undefined {
  const principal = token === undefined ? undefined : (source?.subject ?? principalOf(token));
  return named === undefined ? principal : JSON.stringify([named, principal]);
}

/** Whether a header carries credentials: what it holds must not be read on the way. */
export function isCredentialHeader(name: string): boolean {
  const words = name.split(/[^a-z]+/);
  return (
    !HARMLESS_KEYS.has(name) &&
    (words.some((word) => CREDENTIAL_WORDS.has(word)) ||
      // Written without a mark between the words: `x-apikey`, `accesstoken`.
      /(?:token|key|secret|password|authorization|cookie)$/.test(name))
  );
}

function isPrincipalHeader(name: string): boolean {
  // It says with which program, not for whom.
  if (name === 'user-agent' || name === 'idempotency-key') {
    return false;
  }
  return name.split(/[^a-z]+/).some((word) => PRINCIPAL_WORDS.has(word)) || isCredentialHeader(name);
}

const CREDENTIAL_WORDS = new Set([
  'apikey',
  'assertion',
  'auth',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'dpop',
  'jwt',
  'passphrase',
  'password',
  'pat',
  'secret',
  'session',
  'sid',
  'signature',
  'token',
]);
/** Keys that open nothing. */
const HARMLESS_KEYS = new Set([
  'cache-key',
  'idempotency-key',
  'partition-key',
  'routing-key',
  'surrogate-key',
]);
const PRINCIPAL_WORDS = new Set([
  'account',
  'actor',
  'behalf',
  'caller',
  'client',
  'consumer',
  'customer',
  'email',
  'identity',
  'impersonate',
  'login',
  'org',
  'organization',
  'owner',
  'person',
  'principal',
  'remoteuser',
  'sub',
  'subject',
  'subscriber',
  'sudo',
  'tenant',
  'tenantid',
  'upn',
  'user',
  'userid',
  'username',
]);
