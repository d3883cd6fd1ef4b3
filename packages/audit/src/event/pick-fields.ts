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
  const picks = Object.entries(fields).map(([name, schema]) => ({
    name,
    pick: pickOf(schema, maxEntries[name]),
  }));
  return (source) => {
    // Any member may be there; only those of the table are looked at.
    const given = source as Readonly<Record<string, unknown>>;
    const picked: Record<string, unknown> = {};
    for (const { name, pick } of picks) {
      const value = given[name];
      if (value !== undefined && value !== null) {
        picked[name] = pick === undefined ? value : pick(value);
      }
    }
    return picked;
  };
}

/** How the value of a field is copied; `undefined` when it is taken as it is. */
function pickOf(schema: unknown, max?: number): Copy | undefined {
  if (schema instanceof z.ZodOptional) {
    return pickOf(schema.unwrap(), max);
  }
  if (schema instanceof z.ZodObject) {
    const pick = fieldPicker(schema.shape);
    return (value) => pick(Object(value));
  }
  if (schema instanceof z.ZodArray) {
    const pick = pickOf(schema.element);
    if (pick === undefined && max === undefined) {
      return undefined;
    }
    return (value) => {
      const kept: unknown = Array.isArray(value) ? value.slice(0, max) : value;
      return pick !== undefined && Array.isArray(kept) ? kept.map(pick) : kept;
    };
  }
  if (schema instanceof z.ZodRecord) {
    return (value) => Object.fromEntries(Object.entries(Object(value)).slice(0, max));
  }
  return undefined;
}
