import type { JsonObject, JsonValue } from '../json.ts';

/** What a schema says of how a value may be written down. */
export type Annotation = 'sensitive' | 'secret';

/** The annotations of a JSON Schema of arguments. */
export interface Annotations {
  /** Of all arguments at once. */
  readonly root: Annotation | undefined;
  /** Of each argument that the schema names, `undefined` where it has none. */
  readonly members: ReadonlyMap<string, Annotation | undefined>;
  /** Of arguments that it does not name. */
  readonly others: Annotation | undefined;
}

/** Keywords whose value is schemas by name. */
const NAMED = ['properties', 'patternProperties', '$defs', 'dependentSchemas'];
/** Keywords whose value is data. */
const DATA = ['const', 'enum', 'default', 'examples'];

/** Reads the annotations; one inside an argument counts for all of it. */
export function annotationsOf(document: JsonObject): Annotations {
  const members = new Map<string, Annotation | undefined>();
  let others: Annotation | undefined;
  const seen = new Set<JsonObject>();

  function read(schema: JsonValue | undefined): void {
    if (!isObject(schema) || seen.has(schema)) {
      return;
    }
    seen.add(schema);
    for (const [name, member] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {})) {
      members.set(name, stricter(members.get(name), within(member, document, new Set())));
    }
    for (const other of ['additionalProperties', 'patternProperties', 'propertyNames']) {
      others = stricter(others, within(schema[other], document, new Set()));
    }
    for (const part of ['anyOf', 'oneOf', 'allOf']) {
      const parts = schema[part];
      (Array.isArray(parts) ? (parts as readonly JsonValue[]) : []).forEach(read);
    }
    read(referenced(schema, document));
  }

  read(document);
  return { root: own(document), members, others };
}

/** The same schema for clients: annotations are for the trail, and a model pays for each word. */
export function withoutAnnotations(schema: JsonObject): JsonObject {
  // What it makes of an object is an object.
  return stripped(schema, false) as JsonObject;
}

function stripped(node: JsonValue | undefined, isNamed: boolean): JsonValue | undefined {
  if (Array.isArray(node)) {
    return node.map((item: JsonValue) => stripped(item, false) ?? null);
  }
  if (!isObject(node)) {
    return node;
  }
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => isNamed || (name !== 'secret' && name !== 'sensitive'))
      .map(([name, value]) => [
        name,
        !isNamed && DATA.includes(name) ? value : stripped(value, !isNamed && NAMED.includes(name)),
      ]),
  );
}

/** The strictest annotation anywhere in a schema. */
function within(
  node: JsonValue | undefined,
  root: JsonObject,
  seen: Set<JsonObject>,
): Annotation | undefined {
  if (Array.isArray(node)) {
    return node.map((item: JsonValue) => within(item, root, seen)).reduce(stricter, undefined);
  }
  if (!isObject(node) || seen.has(node)) {
    return undefined;
  }
  seen.add(node);
  const inner = Object.entries(node).map(([name, value]) =>
    DATA.includes(name) ? undefined : within(value, root, seen),
  );
  return [own(node), within(referenced(node, root), root, seen), ...inner].reduce(stricter, undefined);
}

function own(schema: JsonObject): Annotation | undefined {
  if (schema['secret'] === true) {
    return 'secret';
  }
  return schema['sensitive'] === true ? 'sensitive' : undefined;
}

function referenced({ $ref: reference }: JsonObject, root: JsonObject): JsonValue | undefined {
  if (typeof reference !== 'string') {
    return undefined;
  }
  let node: JsonValue | undefined = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    node = isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined;
  }
  return node;
}

function stricter(one: Annotation | undefined, other: Annotation | undefined): Annotation | undefined {
  return one === 'secret' || other === 'secret' ? 'secret' : (one ?? other);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
