import type { JsonObject, JsonValue } from '../../json.ts';
import { unseenIn } from '../../visible-text.ts';

const TYPES: readonly unknown[] = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];
/** Keywords whose value is a schema, a list of schemas, or schemas by name (JSON Schema 2020-12, core and applicators). */
const ONE = [
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'if',
  'then',
  'else',
  'not',
] as const;
const SEVERAL = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;
const NAMED = ['properties', 'patternProperties', '$defs', 'dependentSchemas'] as const;
const TEXTS = ['title', 'description', '$ref', 'pattern', 'format'] as const;

/**
 * What is wrong with a schema that is to be listed, as `where: what`. A client that refuses one tool's schema refuses
 * the whole list, so nothing leaves that is not of the form that both revisions of the protocol and JSON Schema give.
 */
export function problemOfSchema(schema: JsonObject, mustBeObject: boolean): string | undefined {
  // Both revisions, schema.ts, Tool: `type: "object"` for the input.
  return !mustBeObject || schema['type'] === 'object'
    ? problemIn(schema, '#', schema)
    : `#: type must be "object", got ${JSON.stringify(schema['type'])}`;
}

function problemIn(schema: JsonValue | undefined, at: string, root: JsonObject): string | undefined {
  if (typeof schema === 'boolean') {
    return undefined;
  }
  if (!isObject(schema)) {
    return `${at}: a schema must be an object or a boolean, got ${JSON.stringify(schema)}`;
  }
  return problemOfKeywords(schema, at, root) ?? problemInside(schema, at, root);
}

function problemOfKeywords(schema: JsonObject, at: string, root: JsonObject): string | undefined {
  const { type, required, $ref: reference, enum: values } = schema;
  const types = Array.isArray(type) ? type : [type];
  if (type !== undefined && (types.length === 0 || !types.every((one) => TYPES.includes(one)))) {
    return `${at}/type: not a type of JSON Schema, got ${JSON.stringify(type)}`;
  }
  if (required !== undefined && !isTexts(required)) {
    return `${at}/required: must be a list of names, got ${JSON.stringify(required)}`;
  }
  if (values !== undefined && !Array.isArray(values)) {
    return `${at}/enum: must be a list, got ${JSON.stringify(values)}`;
  }
  const word = TEXTS.find((name) => schema[name] !== undefined && typeof schema[name] !== 'string');
  if (word !== undefined) {
    return `${at}/${word}: must be a text, got ${JSON.stringify(schema[word])}`;
  }
  for (const name of ['title', 'description']) {
    const text = schema[name];
    const unseen = typeof text === 'string' ? unseenIn(text) : undefined;
    if (unseen !== undefined) {
      return `${at}/${name}: has the character ${unseen}, which nobody sees`;
    }
  }
  return typeof reference === 'string' && !leadsSomewhere(reference, root)
    ? `${at}/$ref: leads nowhere: ${reference}`
    : undefined;
}

function problemInside(schema: JsonObject, at: string, root: JsonObject): string | undefined {
  for (const name of ONE) {
    if (schema[name] !== undefined) {
      const problem = problemIn(schema[name], `${at}/${name}`, root);
      if (problem !== undefined) {
        return problem;
      }
    }
  }
  for (const name of [...SEVERAL, ...NAMED]) {
    const inner = schema[name];
    if (inner === undefined) {
      continue;
    }
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner) !== isOneOf(SEVERAL, name)) {
      return `${at}/${name}: has no schemas, got ${JSON.stringify(inner)}`;
    }
    for (const [key, member] of Object.entries(inner)) {
      const problem = problemIn(member, `${at}/${name}/${key}`, root);
      if (problem !== undefined) {
        return problem;
      }
    }
  }
  return undefined;
}

/** Only within the document: a client that fetched another could be sent anywhere. */
function leadsSomewhere(reference: string, root: JsonObject): boolean {
  if (reference === '#') {
    return true;
  }
  if (!reference.startsWith('#/')) {
    return false;
  }
  let node: JsonValue | undefined = root;
  for (const step of reference.slice(2).split('/')) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    node =
      typeof node === 'object' && node !== null && Object.hasOwn(node, name)
        ? (node as JsonObject)[name]
        : undefined;
  }
  return node !== undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
