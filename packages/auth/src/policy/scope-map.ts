import { covers } from './permission-pattern.ts';

/** What scopes mean in terms of permissions. A scope with the name of a permission covers that permission. */
export interface ScopeMap {
  /** Whether a token with `scopes` reaches as far as `permission`. */
  readonly covers: (scopes: readonly string[], permission: string) => boolean;
  /** Whether `scopes` include each of `required`, by itself or through a broader scope. */
  readonly implies: (scopes: readonly string[], required: readonly string[]) => boolean;
  /** Whether `scopes` reach at least as far as the scope `wanted`: by itself, or as broader ones. */
  readonly include: (scopes: readonly string[], wanted: string) => boolean;
  /** The smallest set of scopes a token needs for all of `permissions`. */
  readonly scopesFor: (permissions: readonly string[]) => readonly string[];
}

/** Reads the `scopes` and `require` keys of a checked policy document. */
export function createScopeMap(
  permissions: readonly string[],
  document: Readonly<Record<string, readonly string[]>>,
  requirements: ReadonlyMap<string, { readonly scopes?: readonly string[] | undefined }>,
): ScopeMap {
  const patternsOf = new Map(Object.entries(document));
  const reach = (scope: string): readonly string[] =>
    permissions.filter(
      (permission) =>
        permission === scope || (patternsOf.get(scope) ?? []).some((pattern) => covers(pattern, permission)),
    );
  const reachOf = new Map(
    [...permissions, ...patternsOf.keys()].map((scope) => [scope, new Set(reach(scope))]),
  );

  const reaches = (scope: string, permission: string): boolean =>
    reachOf.get(scope)?.has(permission) ?? false;

  /** The mapped scope that opens least beside `permission`, or the scope of the same name. */
  function narrowestScope(permission: string): string {
    const [narrowest] = [...patternsOf.keys()]
      .filter((scope) => reaches(scope, permission))
      .toSorted((a, b) => (reachOf.get(a)?.size ?? 0) - (reachOf.get(b)?.size ?? 0));
    return narrowest ?? permission;
  }

  return {
    covers: (scopes, permission) => scopes.some((scope) => reaches(scope, permission)),
    // A broader scope stands for a narrower one only where the document names the narrower one: no wildcard
    // hands out a scope that a `require` asks for.
    implies: (scopes, required) =>
      required.every((wanted) =>
        scopes.some((scope) => scope === wanted || patternsOf.get(scope)?.includes(wanted) === true),
      ),
    include(scopes, wanted) {
      if (scopes.includes(wanted)) {
        return true;
      }
      const reached = [...(reachOf.get(wanted) ?? [])];
      return (
        reached.length > 0 &&
        reached.every((permission) => scopes.some((scope) => reaches(scope, permission)))
      );
    },
    scopesFor(wanted) {
      const chosen = new Set<string>();
      const known = wanted.filter((permission) => permissions.includes(permission));
      for (const permission of known) {
        for (const scope of requirements.get(permission)?.scopes ?? []) {
          chosen.add(scope);
        }
      }
      for (const permission of known) {
        if (![...chosen].some((scope) => reaches(scope, permission))) {
          chosen.add(narrowestScope(permission));
        }
      }
      return [...chosen].toSorted();
    },
  };
}
