import { z } from 'zod';

/** Told the path of a list that was cut. */
type OnCut = (path: string) => void;
type Copy = (value: unknown, onCut: OnCut) => unknown;
/** How many entries are kept of a list, by its path: `groups`, or `actor.groups` for one in an object. */
type MaxEntries = Readonly<Record<string, number>>;

/**
 * Returns a function that copies the fields of a table from an object of a caller, in the table's order, and nothing
 * else: an extra property can never take the place of a field of ours. Of a list in `maxEntries` it keeps the first so
 * many entries, at any depth. The work of looking at the schemas is done once.
 */
export function fieldPicker(
  fields: z.ZodRawShape,
  maxEntries: MaxEntries = {},
  prefix = '',
): (source: object, onCut?: OnCut) => object {
  const picks = Object.entries(fields).map(([name, schema]) => ({
    name,
    pick: pickOf(schema, maxEntries, `${prefix}${name}`),
  }));
  return (source, onCut = () => {}) => {
    // Any member may be there; only those of the table are looked at.
    const given = source as Readonly<Record<string, unknown>>;
    const picked: Record<string, unknown> = {};
    for (const { name, pick } of picks) {
      const value = given[name];
      if (value !== undefined && value !== null) {
        picked[name] = pick === undefined ? value : pick(value, onCut);
      }
    }
    return picked;
  };
}

/** How the value of a field is copied; `undefined` when it is taken as it is. */
function pickOf(schema: unknown, maxEntries: MaxEntries, path: string): Copy | undefined {
  const max = maxEntries[path];
  if (schema instanceof z.ZodOptional) {
    return pickOf(schema.unwrap(), maxEntries, path);
  }
  if (schema instanceof z.ZodObject) {
    const pick = fieldPicker(schema.shape, maxEntries, `${path}.`);
    return (value, onCut) => pick(Object(value), onCut);
  }
  if (schema instanceof z.ZodArray) {
    const pick = pickOf(schema.element, maxEntries, path);
    if (pick === undefined && max === undefined) {
      return undefined;
    }
    return (value, onCut) => {
      if (!Array.isArray(value)) {
        return value;
      }
      const kept: unknown[] = firstOf(value, max, path, onCut);
      return pick === undefined ? kept : kept.map((item) => pick(item, onCut));
    };
  }
  if (schema instanceof z.ZodRecord) {
    return (value, onCut) => Object.fromEntries(firstOf(Object.entries(Object(value)), max, path, onCut));
  }
  return undefined;
}

function firstOf<T>(entries: T[], max: number | undefined, path: string, onCut: OnCut): T[] {
  if (max === undefined || entries.length <= max) {
    return entries;
  }
  onCut(path);
  return entries.slice(0, max);
}
