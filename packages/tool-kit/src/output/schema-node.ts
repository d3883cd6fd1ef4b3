import type { JsonObject, JsonValue } from '../json.ts';

/** A schema may refer to itself at once; nobody writes more of them in a row. */
const MAX_REFERENCES = 32;

/**
 * The parts of a schema that may describe a value: references are followed, the parts of `allOf` count together, and
 * of alternatives those that the value fits.
 */
export function nodesFor(
  schema: JsonValue | undefined,
  value: unknown,
  root: JsonObject,
): readonly JsonObject[] {
  return found(schema, value, root, MAX_REFERENCES);
}

function found(
  schema: JsonValue | undefined,
  value: unknown,
  root: JsonObject,
  references: number,
): readonly JsonObject[] {
  if (!isObject(schema) || references === 0) {
    return [];
  }
  const { $ref: reference, anyOf, oneOf, allOf, ...own } = schema;
  const inside = (one: JsonValue | undefined) => found(one, value, root, references - 1);
  const alternatives = anyOf ?? oneOf;
  const isComposed = reference !== undefined || alternatives !== undefined || allOf !== undefined;
  return [
    ...((!isComposed || own['properties'] !== undefined) && fits(own, value) ? [own] : []),
    ...(typeof reference === 'string' ? inside(target(reference, root)) : []),
    ...schemasIn(alternatives).flatMap(inside),
    ...schemasIn(allOf).flatMap(inside),
  ];
}

/** Within the document; the catalog refuses a schema whose references lead elsewhere. */
function target(reference: string, root: JsonObject): JsonValue | undefined {
  let node: JsonValue | undefined = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    node = isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined;
  }
  return node;
}

/** By what tells alternatives apart: the type, fixed values, and the members that an object must have. */
function fits(node: JsonObject, value: unknown): boolean {
  const { type, const: fixed, enum: values, required, properties } = node;
  const types = type === undefined ? undefined : Array.isArray(type) ? type : [type];
  if (types !== undefined && !types.some((one: JsonValue) => isOfType(one, value))) {
    return false;
  }
  if (
    (fixed !== undefined && fixed !== value) ||
    (Array.isArray(values) && !values.some((one: JsonValue) => one === value))
  ) {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return true;
  }
  const members = value as Readonly<Record<string, unknown>>;
  const isComplete =
    !Array.isArray(required) || required.every((name) => Object.hasOwn(members, String(name)));
  return (
    isComplete &&
    Object.entries(isObject(properties) ? properties : {}).every(
      ([name, member]) =>
        !isObject(member) ||
        member['const'] === undefined ||
        !Object.hasOwn(members, name) ||
        member['const'] === members[name],
    )
  );
}

function isOfType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** Whether it is a schema with keywords, and not `true` or `false`. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function schemasIn(list: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(list) ? list : [];
}
