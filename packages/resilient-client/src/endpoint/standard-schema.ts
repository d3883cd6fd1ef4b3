/** Checks a value of any library that follows the Standard Schema: zod, valibot, arktype. @see https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema takes. */
export type SchemaInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/** What a schema makes of it. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Why a value does not fit its schema. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
  readonly issues: readonly SchemaIssue[];

  constructor(issues: readonly SchemaIssue[], options?: ErrorOptions) {
    super(issues.map((issue) => describeIssue('', issue)).join('; '), options);
    this.issues = issues;
  }
}

/** The value as the schema makes it, or the mismatch. */
export function check<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): { readonly ok: true; readonly value: Output } | { readonly ok: false; readonly error: SchemaMismatch } {
  let result: SchemaResult<Output> | Promise<SchemaResult<Output>>;
  try {
    result = schema['~standard'].validate(value);
  } catch (cause) {
    return {
      ok: false,
      error: new SchemaMismatch([{ message: 'a transform of the schema failed' }], { cause }),
    };
  }
  if (result instanceof Promise) {
    result.catch(() => {});
    // A transform that throws looks the same: zod tries it once more, asynchronously.
    const message = 'the schema must be synchronous, and its transforms must not throw';
    return { ok: false, error: new SchemaMismatch([{ message }]) };
  }
  return result.issues === undefined
    ? { ok: true, value: result.value }
    : { ok: false, error: new SchemaMismatch(result.issues) };
}

/**
 * Whether a schema takes `undefined` and nothing else, so that any body of a successful response fits it unread. The
 * standard does not say; zod tells by `def.type`, valibot by `type`, arktype by `expression`.
 */
export function wantsNothing(schema: StandardSchema): boolean {
  const { def, type, expression } = schema as {
    def?: { type?: unknown };
    type?: unknown;
    expression?: unknown;
  };
  return [def?.type, type, expression].some((name) => name === 'undefined' || name === 'void');
}

/** An issue in one line, with where it is below `part`. */
export function describeIssue(part: string, { path = [], message }: SchemaIssue): string {
  const names = path.map((key) => String(typeof key === 'object' ? key.key : key));
  const where = [part, ...names].filter((name) => name !== '').join('.');
  return where === '' ? message : `${where}: ${message}`;
}
