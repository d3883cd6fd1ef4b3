import { z } from 'zod';

import type { ObjectSchema } from '../definition/schema/object-schema.ts';
import type { JsonObject } from '../json.ts';
import { annotationsOf, withoutAnnotations, type Annotation } from './annotations.ts';

/** A schema of any library that speaks Standard Schema (standardschema.dev) and makes JSON Schema of it. */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    /** The library's name. */
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

// On the schema itself, so that no module has to remember it.
const SOURCE = Symbol('standard schema');

/**
 * Lets a schema of another library stand where a definition has a schema of zod: its own parser checks, and its own
 * converter makes the JSON Schema. An annotation `sensitive` or `secret` that the converter writes into the JSON Schema
 * counts for the whole argument that it stands in.
 *
 * @throws {TypeError} for a schema without a converter, for one that is no object, and for one that is zod's.
 */
export function standardSchema<Input, Output>(
  schema: StandardSchema<Input, Output>,
): ObjectSchema<Output, Input> {
  const { vendor, jsonSchema } = schema['~standard'] as Partial<StandardSchema['~standard']>;
  if (vendor === 'zod') {
    throw new TypeError('a schema of zod needs no standardSchema around it');
  }
  if (jsonSchema === undefined) {
    const how =
      vendor === 'valibot'
        ? 'wrap it in toStandardJsonSchema of @valibot/to-json-schema first'
        : 'it must be a StandardJSONSchemaV1';
    throw new TypeError(`a schema of ${vendor ?? 'an unknown library'} makes no JSON Schema: ${how}`);
  }
  const document = convert(schema, 'input');
  const { root, members, others } = annotationsOf(document);
  const shape = Object.fromEntries(
    [...members].map(([name, annotation]) => [name, annotated(z.unknown(), annotation).optional()]),
  );
  const base = z.object(shape).catchall(annotated(z.unknown(), others));
  // What other libraries check, zod has not to know: it only hands the value over.
  const checked = annotated(base, root).check((payload) => {
    const result = schema['~standard'].validate(payload.value);
    if (result instanceof Promise) {
      throw new TypeError(`a schema of ${vendor} checks asynchronously, and a call is parsed at once`);
    }
    if (result.issues === undefined) {
      payload.value = result.value as typeof payload.value;
      return;
    }
    for (const { message, path = [] } of result.issues) {
      payload.issues.push({
        code: 'custom',
        message,
        path: path.map((step) => (typeof step === 'object' ? step.key : step)),
        input: payload.value,
      });
    }
  });
  Object.defineProperty(checked, SOURCE, { value: schema });
  // Its parser gives what the other library gives.
  return checked as unknown as ObjectSchema<Output, Input>;
}

/** The JSON Schema that the library of a schema makes itself. `undefined` for a schema of zod. */
export function standardJsonSchema(schema: unknown, io: 'input' | 'output'): JsonObject | undefined {
  const source = (schema as { readonly [SOURCE]?: StandardSchema } | undefined)?.[SOURCE];
  return source && withoutAnnotations(convert(source, io));
}

function convert(schema: StandardSchema, io: 'input' | 'output'): JsonObject {
  const document = schema['~standard'].jsonSchema[io]({ target: 'draft-2020-12' });
  // A JSON Schema document is JSON.
  return JSON.parse(JSON.stringify(document)) as JsonObject;
}

function annotated<Schema extends z.ZodType>(schema: Schema, annotation: Annotation | undefined): Schema {
  return annotation === undefined ? schema : schema.meta({ [annotation]: true });
}
