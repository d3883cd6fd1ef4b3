import type { z } from 'zod';

/** Parses what a client sent, as `safeParse` does. */
export type ArgumentParser<Input> = (sent: unknown) => z.ZodSafeParseResult<Input>;

/**
 * Parses with the schema. Some clients send `null` for an optional argument that was left out: where only a `null`
 * is wrong, it counts as left out.
 */
export function argumentParser<Input>(schema: z.ZodType<Input>): ArgumentParser<Input> {
  return (sent) => {
    const parsed = schema.safeParse(sent);
    if (parsed.success) {
      return parsed;
    }
    const nulls = parsed.error.issues.map(({ path }) => path).filter((path) => isNullMember(sent, path));
    return nulls.length === 0 ? parsed : schema.safeParse(withoutMembers(sent, nulls));
  };
}

type Path = readonly PropertyKey[];

function isNullMember(sent: unknown, path: Path): boolean {
  const name = path.at(-1);
  // An item of an array cannot be left out.
  return typeof name === 'string' && parentOf(sent, path)?.[name] === null;
}

function withoutMembers(sent: unknown, paths: readonly Path[]): unknown {
  // It is JSON.
  const copy: unknown = structuredClone(sent);
  for (const path of paths) {
    const name = path.at(-1);
    const parent = parentOf(copy, path);
    if (parent !== undefined && name !== undefined) {
      delete parent[name];
    }
  }
  return copy;
}

/** The object that holds the last member of the path. */
function parentOf(sent: unknown, path: Path): Record<PropertyKey, unknown> | undefined {
  let parent: unknown = sent;
  for (const name of path.slice(0, -1)) {
    parent = isObject(parent) && Object.hasOwn(parent, name) ? parent[name] : undefined;
  }
  return isObject(parent) && !Array.isArray(parent) ? parent : undefined;
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}
