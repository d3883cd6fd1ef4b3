import { z } from 'zod';

import { tokenRefused } from '../errors.ts';
import { claimAt } from './claim-path.ts';
import type { Claims } from './claim-path.ts';
import { identifierText } from './plain-text.ts';

/** How to read groups out of a token, for an issuer that is trusted with saying who is in which group. */
export interface GroupClaimOptions {
  /** The claim's name, such as `groups`, or the path to it with dots, such as `realm_access.roles`. */
  readonly claim: string;
  /**
   * What the issuer calls a group → what the policy calls it; values that are not listed are dropped. Entra ID
   * sends object ids, for example. @default the claim's values are the policy's names
   */
  readonly names?: Readonly<Record<string, string>> | undefined;
}

const MAX_GROUPS = 1_000;

const groupName = identifierText(512);
/** Some issuers send one group bare. It is never split: names may hold spaces and commas. */
const groupList = z.union([z.array(groupName).max(MAX_GROUPS), groupName.transform((name) => [name])]);
/** Seen as a text too. */
const jsonText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'not JSON' });
    return z.NEVER;
  }
});
/** OIDC Core §5.6.2: the claim is elsewhere. */
const claimNames = z.union([
  z.record(z.string(), z.unknown()),
  jsonText.pipe(z.record(z.string(), z.unknown())),
]);

/**
 * The groups that a token names; `overage` when it says that they are elsewhere (Entra ID does so above 200
 * groups, with `_claim_names` or `hasgroups`); `undefined` when it says nothing.
 * @throws {AuthError} `invalid_token` when the claim has a wrong shape
 */
export function groupsFromClaims(
  claims: Claims,
  { claim, names }: GroupClaimOptions,
): readonly string[] | 'overage' | undefined {
  const value = claimAt(claims, claim);
  const elsewhere = claimNames.safeParse(claims['_claim_names']).data ?? {};
  if (
    Object.hasOwn(elsewhere, claim) ||
    (isSet(claims['hasgroups']) && (claim === 'groups' || value === undefined))
  ) {
    return 'overage';
  }
  if (value === undefined) {
    return undefined;
  }
  const listed = groupList.safeParse(value);
  if (!listed.success) {
    throw tokenRefused(`unusable claims ${claim}`);
  }
  const known =
    names === undefined
      ? listed.data
      : listed.data.flatMap((value) => (Object.hasOwn(names, value) ? [names[value] ?? value] : []));
  return Object.freeze([...new Set(known)]);
}

/** Documented as a boolean, seen as a text. */
function isSet(value: unknown): boolean {
  return ![undefined, null, false, 0, '', 'false', 'False', '0'].some((unset) => unset === value);
}
