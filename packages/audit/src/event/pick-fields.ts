import { z } from 'zod';

type Copy = (value: unknown) => unknown;

/**
 * Returns a function that copies the fields of a table from an object of a caller, in the table's order, and nothing
 * else: an extra property can never take the place of a field of ours. Of a list in `maxEntries` it keeps the first so
 * many entries. The work of looking at the schemas is done once.
 */
export function fieldPicker(
  fields: z.ZodRawShape,
  maxEntries: Readonly<Record<string, number>> = {},
): (source: object) => object {
  const picks = Object.entries(fields).map(
    ([name, schema]) => [name, pickOf(schema, maxEntries[name])] as const,
  );
  return (source) => {
    const picked: Record<string, unknown> = {};
    for (const [name, pick] of picks) {
      const value: unknown = Reflect.get(source, name);
      picked[name] = value === undefined || value === null ? undefined : pick(value);
    }
    return picked;
  };
}

function pickOf(schema: unknown, max = Infinity): Copy {
  if (schema instanceof z.ZodOptional) {
    return pickOf(schema.unwrap(), max);
  }
  if (schema instanceof z.ZodObject) {
    const pick = fieldPicker(schema.shape);
    return (value) => pick(Object(value));
  }
  if (schema instanceof z.ZodArray) {
    const pick = pickOf(schema.element);
    return (value) => (Array.isArray(value) ? value.slice(0, max).map(pick) : value);
  }
  if (schema instanceof z.ZodRecord) {
    return (value) => Object.fromEntries(Object.entries(Object(value)).slice(0, max));
  }
  return (value) => value;
}
