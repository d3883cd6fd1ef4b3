import { z } from 'zod';

import { tokenRefused } from '../errors.ts';

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

const groupName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^\P{Cc}+$/u);
/** Some issuers send one group bare. It is never split: names may hold spaces and commas. */
const groupList = z.union([z.array(groupName).max(MAX_GROUPS), groupName.transform((name) => [name])]);
/** OIDC Core §5.6.2: the claim is elsewhere. */
const distributedClaims = z.object({ _claim_names: z.record(z.string(), z.unknown()) });

/**
 * The groups that a token names; `overage` when it says that they are elsewhere (Entra ID does so above 200
 * groups, with `_claim_names` or `hasgroups`); `undefined` when it says nothing.
 * @throws {AuthError} `invalid_token` when the claim has a wrong shape
 */
export function groupsFromClaims(
  claims: unknown,
  { claim, names }: GroupClaimOptions,
): readonly string[] | 'overage' | undefined {
  const record = z.record(z.string(), z.unknown()).parse(claims);
  const elsewhere = distributedClaims.safeParse(claims).data?._claim_names ?? {};
  if (Object.hasOwn(elsewhere, claim) || record['hasgroups'] === true) {
    return 'overage';
  }
  const value = claimAt(record, claim);
  if (value === undefined || value === null) {
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

/** A claim of just this name goes first: names that are URLs hold dots too. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) {
    return claims[path];
  }
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
