/** `area:action[:…]`, lower case: one spelling per permission. */
export const PERMISSION_NAME = /^[a-z0-9][a-z0-9._-]*(?::[a-z0-9][a-z0-9._-]*)*$/;

/** A permission, or whole segments followed by `*`, which stands for one or more whole segments. */
export const PERMISSION_PATTERN = /^(?:[a-z0-9][a-z0-9._-]*:)*(?:\*|[a-z0-9][a-z0-9._-]*)$/;

/** Whether `pattern` covers `permission`: `deploy:*` covers `deploy:staging`, not `deploy` nor `deployments:read`. */
export function covers(pattern: string, permission: string): boolean {
  if (pattern === '*') return true;
  if (pattern.endsWith(':*')) return permission.startsWith(pattern.slice(0, -1));
  return pattern === permission;
}
