import { z } from 'zod';

import type { JsonObject, JsonValue } from '../json.ts';
import type { AuditTrail } from '../ports.ts';
import type { AuditDetails } from './audit-details.ts';
import { wrappedBy } from './schema-tree.ts';

/** What the trail may keep of the arguments of one call. */
export interface RecordedArguments extends AuditDetails {
  /** The names of the arguments that were given, as the schema spells them. */
  readonly argumentNames?: readonly string[] | undefined;
  /** Keyed digests of arguments whose values are not kept, by name. */
  readonly argumentDigests?: Readonly<Record<string, string>> | undefined;
}

type Privacy = 'sensitive' | 'secret';
type ValueVisitor = (value: string | number, privacy: Privacy) => void;

const WITHHELD = '[withheld]';
// A shorter text occurs in others by chance.
const MIN_EMBEDDED_LENGTH = 6;

/**
 * Decides what of the parsed arguments is written down. What the definition's `audit` returned stays in clear;
 * of every other argument the name is kept and, where `audit` has a key, a digest. The schema has the last word: a
 * field with `.meta({ sensitive: true })` is never in clear, one with `.meta({ secret: true })` has no digest
 * either, and their values are taken out of the details wherever they turn up.
 */
export function recordArguments(
  schema: z.ZodType,
  input: unknown,
  details: AuditDetails,
  audit: Pick<AuditTrail, 'digest'> = {},
): RecordedArguments {
  const fields = fieldsOf(schema);
  if (fields === undefined || typeof input !== 'object' || input === null) {
    return details;
  }

  const protectedTexts = new Set<string>();
  visitProtected(schema, input, undefined, (value) => protectedTexts.add(String(value)));

  const argumentNames: string[] = [];
  const argumentDigests: Record<string, string> = {};
  for (const [name, value] of Object.entries(input)) {
    const field = fields[name];
    // A name that the schema does not know is the client's own words.
    if (field === undefined || value === undefined) {
      continue;
    }
    argumentNames.push(name);
    let privacy = privacyOf(field);
    visitProtected(field, value, privacy, (_value, found) => (privacy = stricter(privacy, found)));
    const isClear = privacy === undefined && Object.hasOwn(details.arguments ?? {}, name);
    if (isClear || privacy === 'secret') {
      continue;
    }
    const digest = audit.digest?.(name, typeof value === 'string' ? value : JSON.stringify(value));
    if (digest !== undefined) {
      argumentDigests[name] = digest;
    }
  }
  const clear = details.arguments && withhold(details.arguments, schema, protectedTexts);
  return {
    ...details,
    resource: details.resource && withholdText(details.resource, protectedTexts),
    // An object stays an object.
    arguments: clear as JsonObject | undefined,
    argumentNames,
    argumentDigests: audit.digest && argumentDigests,
  };
}

/** Removes the annotations from a JSON Schema node: they are for the trail, and a model pays for each word. */
export function withoutPrivacy(node: Record<string, unknown>): void {
  delete node['sensitive'];
  delete node['secret'];
}

function withhold(value: JsonValue, schema: z.ZodType | undefined, texts: ReadonlySet<string>): JsonValue {
  if (schema !== undefined && privacyOf(schema) !== undefined) {
    return WITHHELD;
  }
  if (typeof value === 'string') {
    return withholdText(value, texts);
  }
  if (typeof value === 'number') {
    return texts.has(String(value)) ? WITHHELD : value;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item: JsonValue, index) => withhold(item, schema && itemOf(schema, index), texts));
  }
  const fields = schema && fieldsOf(schema);
  const others = schema && valueOf(schema);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined
        ? []
        : [[withholdText(name, texts), withhold(member, fields?.[name] ?? others, texts)]],
    ),
  );
}

function withholdText(text: string, texts: ReadonlySet<string>): string {
  if (texts.has(text)) {
    return WITHHELD;
  }
  for (const hidden of texts) {
    if (hidden.length >= MIN_EMBEDDED_LENGTH && text.includes(hidden)) {
      return WITHHELD;
    }
  }
  return text;
}

/** Visits every text and number that an annotation, its own or of something around it, protects. */
function visitProtected(
  schema: z.ZodType | undefined,
  value: unknown,
  inherited: Privacy | undefined,
  visit: ValueVisitor,
): void {
  const privacy = stricter(inherited, schema && privacyOf(schema));
  if (typeof value === 'string' || typeof value === 'number') {
    if (privacy !== undefined && value !== '') {
      visit(value, privacy);
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      visitProtected(schema && itemOf(schema, index), item, privacy, visit);
    }
  } else if (typeof value === 'object' && value !== null) {
    const fields = schema && fieldsOf(schema);
    const others = schema && valueOf(schema);
    const keys = schema && keyOf(schema);
    for (const [name, member] of Object.entries(value)) {
      if (keys !== undefined) {
        visitProtected(keys, name, privacy, visit);
      }
      visitProtected(fields?.[name] ?? others, member, privacy, visit);
    }
  }
}

function privacyOf(schema: z.ZodType): Privacy | undefined {
  let found: Privacy | undefined;
  for (const layer of layersOf(schema)) {
    const meta = z.globalRegistry.get(layer);
    if (meta?.['secret'] === true) {
      return 'secret';
    }
    if (meta?.['sensitive'] === true) {
      found = 'sensitive';
    }
  }
  return found;
}

function stricter(one: Privacy | undefined, other: Privacy | undefined): Privacy | undefined {
  return one === 'secret' || other === 'secret' ? 'secret' : (one ?? other);
}

/** The fields of an object, of each alternative of a union. */
function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType | undefined>> | undefined {
  let fields: Record<string, z.ZodType> | undefined;
  for (const layer of layersOf(schema)) {
    if (!(layer instanceof z.ZodObject)) {
      continue;
    }
    // Without a prototype: a name such as `constructor` must find nothing.
    fields ??= Object.create(null) as Record<string, z.ZodType>;
    for (const [name, field] of Object.entries<z.ZodType>(layer.shape)) {
      const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
      fields[name] = known === undefined ? field : z.union([known, field]);
    }
  }
  return fields;
}

// zod types inner schemas by its core; every one that a definition holds is a classic schema.

/** The schema of one item of an array or a tuple. */
function itemOf(schema: z.ZodType, index: number): z.ZodType | undefined {
  for (const layer of layersOf(schema)) {
    if (layer instanceof z.ZodArray) {
      return layer.element as z.ZodType;
    }
    if (layer instanceof z.ZodTuple) {
      return (layer.def.items[index] ?? layer.def.rest ?? undefined) as z.ZodType;
    }
  }
  return undefined;
}

/** The schema of the values of a record, or of what an object has besides its fields. */
function valueOf(schema: z.ZodType): z.ZodType | undefined {
  for (const layer of layersOf(schema)) {
    if (layer instanceof z.ZodRecord) {
      return layer.valueType as z.ZodType;
    }
    if (layer instanceof z.ZodObject && layer.def.catchall !== undefined) {
      return layer.def.catchall as z.ZodType;
    }
  }
  return undefined;
}

/** The schema of the keys of a record. */
function keyOf(schema: z.ZodType): z.ZodType | undefined {
  for (const layer of layersOf(schema)) {
    if (layer instanceof z.ZodRecord) {
      return layer.keyType as z.ZodType;
    }
  }
  return undefined;
}

/** A schema and what it wraps: `optional`, `default`, `pipe` and so on, and every alternative of a union. */
function* layersOf(schema: z.ZodType, depth = 16): Generator<z.ZodType> {
  yield schema;
  if (depth === 0) {
    return;
  }
  for (const inner of wrappedBy(schema)) {
    yield* layersOf(inner, depth - 1);
  }
}
