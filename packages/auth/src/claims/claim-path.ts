/** The claims of a token, or what an introspection endpoint says of one. */
export type Claims = Readonly<Record<string, unknown>>;

/** The claims that say something: `null` counts as absent. */
export function presentClaims(received: Claims): Claims {
  return Object.fromEntries(Object.entries(received).filter(([, value]) => value !== null));
}

/**
 * The claim under a name or a path of names with dots, such as `realm_access.roles`. The longest name that is there goes
 * first, at each step: names that are URLs, and clients in `resource_access`, hold dots too.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null) {
    return undefined;
  }
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end);
    if (Object.hasOwn(claims, name)) {
      // An own member of an object may be anything.
      const value = (claims as Claims)[name];
      const found = end === path.length ? value : claimAt(value, path.slice(end + 1));
      if (found !== undefined && found !== null) {
        return found;
      }
    }
  }
  return undefined;
}
