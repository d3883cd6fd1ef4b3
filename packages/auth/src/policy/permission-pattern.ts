/** `area:action[:…]`, lower case: one spelling per permission. */
export const PERMISSION_NAME = /^[a-z0-9][a-z0-9._-]*(?::[a-z0-9][a-z0-9._-]*)*$/;

/** A permission, or whole segments followed by `*`, which stands for one or more whole segments. */
export const PERMISSION_PATTERN = /^(?:[a-z0-9][a-z0-9._-]*:)*(?:\*|[a-z0-9][a-z0-9._-]*)$/;

/** Whether `pattern` covers `permission`: `deploy:*` covers `deploy:staging`, not `deploy` nor `deployments:read`. */
export function covers(pattern: string, permission: string): boolean {
  if (pattern === '*') {
    return true;
  }
  if (pattern.endsWith(':*')) {
    return permission.startsWith(pattern.slice(0, -1));
  }
  return pattern === permission;
}

/**
 * Takes the option `permissions`, sorted and once each.
 * @throws {TypeError} when it is no list, or one of them is not a concrete name
 */
export function checkPermissions(permissions: readonly string[]): readonly string[] {
  if (!Array.isArray(permissions)) {
    throw new TypeError(`permissions must be a list of permissions, got ${JSON.stringify(permissions)}`);
  }
  const names = new Set<string>(permissions);
  for (const permission of names) {
    if (!PERMISSION_NAME.test(permission)) {
      throw new TypeError(`permissions must be concrete names, got ${JSON.stringify(permission)}`);
    }
  }
  return Object.freeze([...names].toSorted());
}
