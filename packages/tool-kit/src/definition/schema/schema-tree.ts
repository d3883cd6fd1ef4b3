import type { z } from 'zod';

/** What a schema wraps, and so describes the same value: `optional`, `pipe` and so on, each alternative of a union. */
export function wrappedBy(schema: z.ZodType): readonly z.ZodType[] {
  // The definition of a schema names what it wraps; which members there are depends on its kind.
  const definition = schema.def as {
    readonly innerType?: z.ZodType;
    readonly in?: z.ZodType;
    readonly out?: z.ZodType;
    readonly left?: z.ZodType;
    readonly right?: z.ZodType;
    readonly options?: readonly z.ZodType[];
    readonly getter?: () => z.ZodType;
  };
  const { innerType, left, right, options = [], getter } = definition;
  return [innerType, definition.in, definition.out, left, right, ...options, getter?.()].filter(isPresent);
}

/** The schemas of the members of an object by name, and of an array or record under no name. */
export function membersOf(schema: z.ZodType): readonly (readonly [name: string, schema: z.ZodType])[] {
  const definition = schema.def as {
    readonly shape?: Readonly<Record<string, z.ZodType>>;
    readonly items?: readonly z.ZodType[];
    readonly element?: z.ZodType;
    readonly rest?: z.ZodType | null;
    readonly catchall?: z.ZodType;
    readonly keyType?: z.ZodType;
    readonly valueType?: z.ZodType;
  };
  const { shape = {}, items = [], element, rest, catchall, keyType, valueType } = definition;
  const unnamed = [...items, element, rest, catchall, keyType, valueType].filter(isPresent);
  return [...Object.entries(shape), ...unnamed.map((inner) => ['', inner] as const)];
}

function isPresent<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
