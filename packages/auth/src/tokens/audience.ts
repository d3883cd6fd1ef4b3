import { tokenRefused } from '../errors.ts';
import { canonicalResource } from '../secure-url.ts';

/**
 * MCP: a token must be issued specifically for this server, so by default it names no other.
 * @throws {AuthError} `invalid_token`
 */
export function checkAudience(
  claim: unknown,
  options: { readonly audience: string; readonly allowExtraAudiences: boolean },
): void {
  const audiences: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const isOurs = (value: unknown): boolean =>
    typeof value === 'string' && canonicalResource(value) === options.audience;
  if (!audiences.some(isOurs)) {
    throw tokenRefused('issued for another audience');
  }
  if (!options.allowExtraAudiences && !audiences.every(isOurs)) {
    throw tokenRefused('valid at other audiences too');
  }
}
