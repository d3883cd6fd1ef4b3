import { z } from 'zod';

import { tokenRefused } from '../errors.ts';
import { claimAt } from './claim-path.ts';
import type { Claims } from './claim-path.ts';

/** RFC 6749 §3.3: printable ASCII without space, quote and backslash. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const words = z.union([
  z.string().transform((text) => text.split(' ').filter((word) => word !== '')),
  z.array(z.string()),
]);

/**
 * The scopes under these claims, as the issuer spells them. RFC 9068 §2.2.3 has one text; IdentityServer, Okta and others
 * send a list. Of a claim that has roles for other uses too, what can be no scope is left out.
 * @throws {AuthError} `invalid_token` naming the claim that has another shape
 */
export function rawScopes(claims: Claims, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const value = claimAt(claims, path);
    if (value === undefined) {
      return [];
    }
    const listed = words.safeParse(value).data;
    const isOwn = path === 'scope' || path === 'scp';
    if (listed === undefined || (isOwn && !listed.every((word) => SCOPE.test(word)))) {
      throw tokenRefused(`unusable claims ${path}`);
    }
    return isOwn ? listed : listed.filter((word) => SCOPE.test(word));
  });
}

/** The scopes as the policy spells them: once each, without what the issuer puts before them. */
export function scopesOf(
  claims: Claims,
  paths: readonly string[],
  prefix: string | undefined,
): readonly string[] {
  const names = rawScopes(claims, paths).map((scope) =>
    prefix !== undefined && scope.length > prefix.length && scope.startsWith(prefix)
      ? scope.slice(prefix.length)
      : scope,
  );
  return [...new Set(names)];
}
