import { tokenRefused } from '../errors.ts';
import { canonicalResource } from '../secure-url.ts';
import type { Claims } from './claim-path.ts';
import { rawScopes } from './scopes.ts';
import { clientOf } from './token-kind.ts';
import type { TokenRules } from './token-rules.ts';

/**
 * MCP: a token must be issued specifically for this server, so by default it names no other.
 * @throws {AuthError} `invalid_token`
 */
export function checkAudience(claims: Claims, audience: string, rules: TokenRules): void {
  const { aud } = claims;
  if (aud === undefined || aud === null) {
    checkInsteadOfAudience(claims, rules);
    return;
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isOurs = (value: unknown): boolean =>
    value === audience || (typeof value === 'string' && canonicalResource(value) === audience);
  if (!audiences.some(isOurs)) {
    throw tokenRefused('issued for another audience');
  }
  const isTolerated = (value: unknown): boolean =>
    isOurs(value) || rules.toleratedAudiences.some((tolerated) => value === tolerated);
  if (!rules.allowExtraAudiences && !audiences.every(isTolerated)) {
    throw tokenRefused('valid at other audiences too');
  }
}

/** As narrow as an audience: a client that is known to call us, and a scope that only our resource has. */
function checkInsteadOfAudience(claims: Claims, rules: TokenRules): void {
  const { missingAudience, clients, scopePrefix } = rules;
  if (missingAudience === 'refuse') {
    throw tokenRefused('issued for no audience');
  }
  const client = clientOf(claims);
  if (typeof client !== 'string' || clients?.has(client) !== true) {
    throw tokenRefused('issued for no audience, to a client that is not one of ours');
  }
  const isScoped = rawScopes(claims, rules.scopeClaims).some(
    (scope) =>
      scopePrefix !== undefined && scope.length > scopePrefix.length && scope.startsWith(scopePrefix),
  );
  if (!isScoped) {
    throw tokenRefused('issued for no audience, without a scope of ours');
  }
}
