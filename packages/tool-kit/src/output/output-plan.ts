import type { JsonObject, JsonValue } from '../json.ts';
import { isObject } from './schema-node.ts';

/** What is known of a tool's output before any call. */
export interface OutputPlan {
  /** As the definition has it. */
  readonly schema: JsonObject;
  /** As clients are shown it. */
  readonly listed: JsonObject;
  /** In the revisions before 2026-07-28, in which all output is an object. @default the same */
  readonly listed2025?: JsonObject | undefined;
  /** Whether the older revisions are given an object around it. */
  readonly isWrapped: boolean;
  /** Whether what is listed has a `nextStep` that the definition lacks. */
  readonly addsNextStep: boolean;
}

/** Works out the plan from the output's JSON Schema. `hasWhole`: all of an answer can be read elsewhere. */
export function outputPlan(schema: JsonObject, hasWhole: boolean): OutputPlan {
  const isWrapped = !isObjectSchema(schema);
  const addsNextStep = needsNextStep(schema, hasWhole);
  return {
    schema,
    listed: addsNextStep ? withNextStepMember(schema) : schema,
    ...(isWrapped && { listed2025: asResult(schema) }),
    isWrapped,
    addsNextStep,
  };
}

/** Whether all that a schema lets through is an object. */
export function isObjectSchema({ type, anyOf, oneOf }: JsonObject): boolean {
  const members = anyOf ?? oneOf;
  return (
    type === 'object' ||
    (type === undefined &&
      Array.isArray(members) &&
      members.length > 0 &&
      members.every((member: JsonValue) => isObject(member) && isObjectSchema(member)))
  );
}

/** The schema of an object whose `result` is what a schema describes, for revisions in which all output is an object. */
function asResult({ $defs, ...schema }: JsonObject): JsonObject {
  // The root of what refers to itself has moved.
  const moved = JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#"', '"$ref":"#/properties/result"'),
  ) as JsonObject;
  return {
    type: 'object',
    properties: { result: moved },
    required: ['result'],
    additionalProperties: false,
    ...($defs !== undefined && { $defs }),
  };
}

/**
 * Whether an answer of this schema may be cut short and has no member to say so in: then what is listed has a
 * `nextStep` besides, and what was left out is said there.
 */
function needsNextStep(schema: JsonObject, hasWhole: boolean): boolean {
  const { type, properties } = schema;
  const isPlain = ['anyOf', 'oneOf', 'allOf', '$ref'].every((keyword) => schema[keyword] === undefined);
  return (
    type === 'object' &&
    isPlain &&
    isObject(properties) &&
    !Object.hasOwn(properties, 'nextStep') &&
    (hasWhole || hasList(schema))
  );
}

/** The schema with a `nextStep` that need not be there. */
function withNextStepMember(schema: JsonObject): JsonObject {
  const { properties } = schema;
  return {
    ...schema,
    properties: { ...(isObject(properties) ? properties : {}), nextStep: { type: 'string' } },
  };
}

/** A list, or a map of any names. */
function hasList(node: JsonValue | undefined): boolean {
  if (Array.isArray(node)) {
    return node.some((item: JsonValue) => hasList(item));
  }
  if (!isObject(node)) {
    return false;
  }
  const isMap = node['type'] === 'object' && !isObject(node['properties']);
  return node['type'] === 'array' || isMap || Object.values(node).some(hasList);
}
