import { checkDocument } from '../document-file.ts';
import { covers } from './permission-pattern.ts';
import { policyDocumentSchema } from './policy-document.ts';
import type { PolicyDocument } from './policy-document.ts';
import { createScopeMap } from './scope-map.ts';

/** What a policy looks at when it works out somebody's permissions. */
export interface PolicySubject {
  readonly kind: 'user' | 'service';
  readonly groups: readonly string[];
  /** The token's scopes. @default none */
  readonly scopes?: readonly string[] | undefined;
  /** Names the service of a `service` grant. */
  readonly clientId?: string | undefined;
  /** Who issued the token of a service. */
  readonly issuer?: string | undefined;
}

/** A decision. `rule` names the grant or requirement that decided: for audit records, not for callers. */
export type Decision =
  | { readonly allowed: true; readonly rule: string }
  | {
      readonly allowed: false;
      /**
       * Only `missing_scope` can be cured by a new token: it is the last reason to be found. `unavailable`: nobody
       * could decide.
       */
      readonly reason: 'missing_permission' | 'missing_group' | 'missing_scope' | 'unavailable';
      readonly rule?: string | undefined;
    };

/** Decides from one immutable document; nothing is allowed that the document does not grant. */
export interface Policy {
  /** Every permission the document knows. */
  readonly permissions: readonly string[];
  /** Services that a grant names without their issuer: ambiguous once there are several. */
  readonly unboundServices: readonly string[];
  /** Permissions that the document marks `fresh`: not to be decided on groups that may be out of date. */
  readonly freshPermissions: readonly string[];
  /** The subject's effective permissions: granted, covered by the token's scopes, requirements met. */
  readonly permissionsFor: (subject: PolicySubject) => readonly string[];
  /** What the subject would hold with every scope: what it is worth asking a better token for. */
  readonly obtainableFor: (subject: PolicySubject) => readonly string[];
  /** Whether `caller` may use `permission`. Requirements are checked again, whatever `caller.permissions` says. */
  readonly decide: (
    caller: PolicySubject & { readonly permissions: readonly string[] },
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Decision;
  /** The smallest set of scopes a token needs for all of `permissions`: for challenges and metadata. */
  readonly scopesFor: (permissions: readonly string[]) => readonly string[];
  /** Whether a token with `scopes` reaches as far as one with the scope `wanted`: broader scopes count. */
  readonly includesScope: (scopes: readonly string[], wanted: string) => boolean;
}

/**
 * Builds a policy. Effective permissions are scopes of the token ∩ grants of the groups ∧ `require`.
 * @throws {TypeError} naming each wrong key of the document
 */
export function createPolicy(document: PolicyDocument): Policy {
  const { permissions, grants, ...rest } = checkDocument(document, policyDocumentSchema, 'policy');
  const known = new Set(permissions);
  const requirements = new Map(Object.entries(rest.require ?? {}));
  const scopeMap = createScopeMap(permissions, rest.scopes ?? {}, requirements);

  // Worked out once: callers are many, and permissions are few.
  const grantsOf = new Map(
    permissions.map((permission) => [
      permission,
      grants.flatMap((grant) => {
        const entry = grant.allow.find((pattern) => covers(pattern, permission));
        return entry === undefined ? [] : [{ grant, rule: `${nameOf(grant)}: ${entry}` }];
      }),
    ]),
  );

  function findGrant(subject: PolicySubject, permission: string): string | undefined {
    return grantsOf.get(permission)?.find(({ grant }) => appliesTo(grant, subject))?.rule;
  }

  function unmetRequirement(
    subject: PolicySubject,
    permission: string,
  ): 'missing_group' | 'missing_scope' | undefined {
    const rule = requirements.get(permission);
    if (rule === undefined) {
      return undefined;
    }
    if (!(rule.allGroups ?? []).every((group) => subject.groups.includes(group))) {
      return 'missing_group';
    }
    if (!scopeMap.implies(subject.scopes ?? [], rule.scopes ?? [])) {
      return 'missing_scope';
    }
    return undefined;
  }

  const everyScope = [...new Set([...permissions, ...Object.keys(rest.scopes ?? {})])];
  const sorted = Object.freeze([...known].toSorted());
  const permissionsFor = (subject: PolicySubject): readonly string[] =>
    sorted.filter(
      (permission) =>
        scopeMap.covers(subject.scopes ?? [], permission) &&
        findGrant(subject, permission) !== undefined &&
        unmetRequirement(subject, permission) === undefined,
    );

  return {
    permissions: sorted,
    unboundServices: Object.freeze(
      grants.flatMap((grant) => ('service' in grant && grant.issuer === undefined ? [grant.service] : [])),
    ),
    freshPermissions: Object.freeze(
      [...requirements].flatMap(([permission, rule]) => (rule.fresh === true ? [permission] : [])),
    ),
    obtainableFor: (subject) => permissionsFor({ ...subject, scopes: everyScope }),
    permissionsFor,
    decide(caller, permission) {
      // A wildcard is never a permission, so asking for `deploy:*` ends here.
      if (!known.has(permission)) {
        return { allowed: false, reason: 'missing_permission' };
      }
      const isHeld = caller.permissions.includes(permission);
      const grant = findGrant(caller, permission);
      if (!isHeld && grant === undefined) {
        return { allowed: false, reason: 'missing_permission' };
      }
      const unmet = unmetRequirement(caller, permission);
      if (unmet !== undefined) {
        return { allowed: false, reason: unmet, rule: `require ${permission}` };
      }
      // Held without a grant: the fixed permissions of a local caller.
      if (isHeld) {
        return { allowed: true, rule: grant ?? `held by the caller: ${permission}` };
      }
      if (!scopeMap.covers(caller.scopes ?? [], permission)) {
        return { allowed: false, reason: 'missing_scope' };
      }
      return { allowed: false, reason: 'missing_permission' };
    },
    scopesFor: (wanted) => scopeMap.scopesFor(wanted),
    includesScope: (scopes, wanted) => scopeMap.include(scopes, wanted),
  };
}

type Grant = PolicyDocument['grants'][number];

function nameOf(grant: Grant): string {
  return 'group' in grant ? `grant group ${grant.group}` : `grant service ${grant.service}`;
}

function appliesTo(grant: Grant, subject: PolicySubject): boolean {
  if ('group' in grant) {
    return subject.kind === 'user' && subject.groups.includes(grant.group);
  }
  const isIssuer = grant.issuer === undefined || subject.issuer === grant.issuer;
  return subject.kind === 'service' && subject.clientId === grant.service && isIssuer;
}
