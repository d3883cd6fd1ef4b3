/** @throws {TypeError} unless `value` is a path */
export function checkPath(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} must be a path, got ${String(value)}`);
  }
}
