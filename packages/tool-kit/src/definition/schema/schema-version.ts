import { z } from 'zod';

import { membersOf, wrappedBy } from './schema-tree.ts';

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * Where the peer range begins. Before it, an annotation is lost by a check that follows it: `secret` in
 * `z.string().meta({ secret: true }).min(8)`.
 */
const OLDEST: Version = { major: 4, minor: 3, patch: 0 };

/**
 * Refuses a schema, and any inside it, whose annotations would be overlooked or whose JSON Schema would be wrong: one
 * of another version of zod than the one imported here, or of zod/mini. A second copy of the same version does no
 * harm: since 4.2 all copies keep annotations in one place.
 *
 * @throws {TypeError} that names the schema by `path`, and both versions.
 */
export function checkSchemaVersion(path: string, schema: unknown): void {
  checkTree(path, schema, new Set());
}

function checkTree(path: string, schema: unknown, seen: Set<unknown>): void {
  if (seen.has(schema)) {
    return;
  }
  seen.add(schema);
  assertOurs(path, schema);
  for (const inner of wrappedBy(schema)) {
    checkTree(path, inner, seen);
  }
  for (const [name, member] of membersOf(schema)) {
    checkTree(name === '' ? path : `${path}.${name}`, member, seen);
  }
}

function assertOurs(path: string, schema: unknown): asserts schema is z.ZodType {
  const { _zod: internals, _def: definition } = (schema ?? {}) as {
    readonly _zod?: { readonly version: Version; readonly traits: ReadonlySet<string> };
    readonly _def?: unknown;
  };
  if (internals === undefined) {
    throw new TypeError(definition === undefined ? `${path} is not a zod schema` : otherVersion(path, '3'));
  }
  const { version, traits } = internals;
  // Where zod 3 is what was found to import, it has no core.
  const own: Version | undefined = z.core?.version;
  if (own === undefined || compare(version, own) !== 0 || compare(own, OLDEST) < 0) {
    throw new TypeError(otherVersion(path, textOf(version)));
  }
  if (!traits.has('ZodType')) {
    throw new TypeError(`${path} was made with zod/mini: make it with zod, whose annotations are read`);
  }
}

function otherVersion(path: string, found: string): string {
  const own: Version | undefined = z.core?.version;
  const expected =
    own === undefined || compare(own, OLDEST) < 0
      ? `needs ${textOf(OLDEST)} or newer`
      : `uses ${textOf(own)}`;
  return `${path} was made with zod ${found}, but mcp-parts ${expected}. Install one zod: "npm ls zod" shows who asks for which`;
}

function compare(one: Version, other: Version): number {
  return one.major - other.major || one.minor - other.minor || one.patch - other.patch;
}

function textOf({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}
