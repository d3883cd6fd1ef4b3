import { z } from 'zod';

import type { JsonObject, JsonValue } from '../json.ts';

/** What clients know of each kind of field (2025-11-25, client/elicitation, "Requested Schema"). */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'format', 'enum', 'enumNames', 'oneOf'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  boolean: [],
  array: ['minItems', 'maxItems', 'items'],
};
const FORMATS: readonly unknown[] = ['email', 'uri', 'date', 'date-time'];

/**
 * The schema of a form as clients show it. What they have no word for, such as a pattern, is left to the check of the
 * answer.
 *
 * @throws {TypeError} naming the field that no form can show.
 */
export function formSchema(schema: z.ZodObject): JsonObject {
  // A JSON Schema document is JSON; zod types it more precisely than a wire value needs.
  const { properties = {}, required } = z.toJSONSchema(schema, { io: 'input' }) as unknown as {
    readonly properties?: Readonly<Record<string, JsonObject>>;
    readonly required?: readonly string[];
  };
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, fieldOf(name, field)]),
    ),
    ...(required !== undefined && { required }),
  };
}

function fieldOf(name: string, schema: JsonObject): JsonObject {
  const field = titledChoices(schema);
  const { type } = field;
  const known = typeof type === 'string' && Object.hasOwn(KNOWN, type) ? KNOWN[type] : undefined;
  if (known === undefined || (type === 'array' && !isChoice(field['items']))) {
    throw new TypeError(
      `form: "${name}" must be a text, a number, yes or no, or a choice of texts: a form is flat`,
    );
  }
  const kept = ['type', 'title', 'description', 'default', ...known].filter((key) =>
    isShown(key, field[key]),
  );
  return Object.fromEntries(kept.map((key) => [key, key === 'items' ? itemsOf(field[key]) : field[key]]));
}

function isShown(key: string, value: JsonValue | undefined): boolean {
  switch (key) {
    case 'format':
      return FORMATS.includes(value);
    case 'minimum':
    case 'maximum':
      // zod says of a whole number how large it can be at all.
      return typeof value === 'number' && Math.abs(value) !== Number.MAX_SAFE_INTEGER;
    default:
      return value !== undefined;
  }
}

/** Texts with titles, which zod writes as alternatives, are one choice; a single text is a choice of one. */
function titledChoices(schema: JsonObject): JsonObject {
  const { anyOf, const: only, ...others } = schema;
  if (typeof only === 'string') {
    return { ...others, type: 'string', enum: [only] };
  }
  const choices = isList(anyOf) ? anyOf.map(choiceOf) : [undefined];
  return choices.some((choice) => choice === undefined)
    ? schema
    : { ...others, type: 'string', oneOf: choices as JsonObject[] };
}

function choiceOf(alternative: JsonValue): JsonObject | undefined {
  if (!isObject(alternative)) {
    return undefined;
  }
  const { const: value, title } = alternative;
  return typeof value === 'string'
    ? { const: value, title: typeof title === 'string' ? title : value }
    : undefined;
}

function isChoice(items: JsonValue | undefined): boolean {
  const choice = isObject(items) ? titledChoices(items) : {};
  return choice['type'] === 'string' && (choice['enum'] !== undefined || choice['oneOf'] !== undefined);
}

/** Of several choices, the titled ones are alternatives again. */
function itemsOf(items: JsonValue | undefined): JsonObject {
  const { enum: values, oneOf } = titledChoices(isObject(items) ? items : {});
  return oneOf === undefined ? { type: 'string', enum: values } : { anyOf: oneOf };
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
