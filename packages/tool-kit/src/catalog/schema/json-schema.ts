import { z } from 'zod';

import { withoutPrivacy } from '../../arguments/argument-privacy.ts';
import type { ContentToolDefinition, ToolDefinition } from '../../definition/define-tool.ts';
import { zodValue, type ValueSchema } from '../../definition/schema/object-schema.ts';
import { checkSchemaVersion } from '../../definition/schema/schema-version.ts';
import type { JsonObject } from '../../json.ts';
import { isObjectSchema } from '../../output/output-plan.ts';
import { standardJsonSchema } from '../../standard/standard-schema.ts';
import { problemOfSchema } from './schema-problem.ts';

/**
 * The JSON Schema of what a tool takes or gives, as every client reads it: an object in the default dialect, 2020-12,
 * without references that could be written out.
 *
 * @throws {TypeError} naming the tool, for what JSON Schema or a client cannot express.
 */
export function jsonSchema(tool: ToolDefinition | ContentToolDefinition, io: 'input' | 'output'): JsonObject {
  const name = `tool "${tool.name}": ${io}`;
  const definition = tool[io];
  checkSchemaVersion(name, definition);
  let document: JsonObject;
  try {
    // A JSON Schema document is JSON; zod types it more precisely than a wire value needs.
    document =
      standardJsonSchema(definition, io) ??
      (z.toJSONSchema(zodValue(definition as ValueSchema), {
        target: 'draft-2020-12',
        io,
        override: ({ jsonSchema }) => withoutPrivacy(jsonSchema),
      }) as unknown as JsonObject);
    // What is left has crossed JSON once, so it does again.
    document = JSON.parse(JSON.stringify(document)) as JsonObject;
  } catch (cause) {
    throw new TypeError(`tool "${tool.name}": JSON Schema cannot express its ${io}`, { cause });
  }
  // 2026-07-28, basic, "JSON Schema Usage": 2020-12 is the default. A client with a plain Ajv fails on its name.
  const { $schema: _dialect, ...schema } = document;
  const written = withWrittenOutReferences(schema);
  // A union of objects is one.
  const listed = isObjectSchema(written) ? { type: 'object', ...written } : written;
  const problem = problemOfSchema(listed, io === 'input');
  if (problem !== undefined) {
    throw new TypeError(`${name} gives a schema that clients refuse: ${problem}`);
  }
  // Some clients make `null` of what is absent here, and then refuse it.
  return io === 'input' && listed['required'] === undefined ? { ...listed, required: [] } : listed;
}

const DEFINITION = /^#\/\$defs\/(?<name>[^/]+)$/u;

/** Writes out each reference, but those of schemas that contain themselves. `.meta({ id })` makes one. */
function withWrittenOutReferences(document: JsonObject): JsonObject {
  const { $defs: definitions, ...root } = document;
  if (!isSchema(definitions)) {
    return document;
  }
  const kept: Record<string, JsonObject> = {};

  function writeOut(node: JsonObject[string], within: readonly string[]): JsonObject[string] {
    if (Array.isArray(node)) {
      return node.map((item: JsonObject[string]) => writeOut(item, within) ?? null);
    }
    if (!isSchema(node)) {
      return node;
    }
    const { $ref: reference, ...beside } = node;
    const name = typeof reference === 'string' ? nameIn(reference) : undefined;
    const definition = name === undefined ? undefined : definitionOf(name);
    if (name === undefined || definition === undefined) {
      return mapValues(node, (member) => writeOut(member, within));
    }
    if (within.includes(name)) {
      if (kept[name] === undefined) {
        // First, so that the definition finds itself here.
        kept[name] = {};
        kept[name] = mapValues(definition, (member) => writeOut(member, [name]));
      }
      return node;
    }
    const inside = [...within, name];
    return mapValues({ ...definition, ...beside }, (member) => writeOut(member, inside));
  }

  function definitionOf(name: string): JsonObject | undefined {
    const definition =
      isSchema(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    return isSchema(definition) ? definition : undefined;
  }

  // What it makes of an object is an object.
  const written = writeOut(root, []) as JsonObject;
  return Object.keys(kept).length === 0 ? written : { ...written, $defs: kept };
}

/** RFC 6901: `~1` is a slash and `~0` a tilde. */
function nameIn(reference: string): string | undefined {
  const name = DEFINITION.exec(reference)?.groups?.['name'];
  return name === undefined
    ? undefined
    : decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
}

function mapValues(node: JsonObject, change: (value: JsonObject[string]) => JsonObject[string]): JsonObject {
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, change(value)]));
}

function isSchema(value: JsonObject[string]): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
