import type { Caller } from '../ports.ts';

/**
 * The permission that a call needs: one name, or one that depends on the parsed input. `anyOf` lists all that
 * `select` can return; a caller who has none of them does not see the definition at all.
 */
export type Permission<Input> = string | { readonly anyOf: readonly string[]; select(input: Input): string };

/** Whether a caller may know that a definition exists: it may use it, or might with a better token. */
export function isVisible(permission: Permission<never>, caller: Caller): boolean {
  return (
    isHeld(permission, caller) ||
    permissionNames(permission).some((name) => caller.obtainablePermissions?.includes(name) === true)
  );
}

/** Whether a caller holds a permission that opens a definition, for some input at least. */
export function isHeld(permission: Permission<never>, caller: Caller): boolean {
  return permissionNames(permission).some((name) => caller.permissions.includes(name));
}

/** The permission that a call needs, by its input. */
export function permissionSelector<Input>(permission: Permission<Input>): (input: Input) => string {
  return typeof permission === 'string' ? () => permission : (input) => permission.select(input);
}

/** One of the permissions that the caller holds, where the input that would choose among them is not known. */
export function heldPermission(permission: Permission<never>, caller: Caller): string {
  const names = permissionNames(permission);
  return names.find((name) => caller.permissions.includes(name)) ?? names[0] ?? '';
}

/** All the names that a call can need. */
export function permissionNames(permission: Permission<never>): readonly string[] {
  return typeof permission === 'string' ? [permission] : permission.anyOf;
}
