import type { z } from 'zod';

/**
 * A zod schema, by the few members that a definition is typed with. To compare all of zod's type with
 * that of another version of zod takes the compiler more memory than it has; of these it says at once which differs.
 */
export interface ValueSchema<Output = unknown, Input = unknown, Kind extends string = string> {
  readonly _zod: {
    readonly version: z.core.$ZodTypeInternals['version'];
    readonly def: { readonly type: Kind };
    readonly output: Output;
    readonly input: Input;
  };
  /** Tells a schema of zod from one of zod/mini. */
  readonly describe: (description: string) => unknown;
}

/** A zod schema of an object. */
export interface ObjectSchema<
  Output = Record<string, unknown>,
  Input = Record<string, unknown>,
> extends ValueSchema<Output, Input, 'object'> {}

/** A zod schema of an object, or a union of such. */
export interface ArgumentSchema<
  Output = Record<string, unknown>,
  Input = Record<string, unknown>,
> extends ValueSchema<Output, Input, 'object' | 'union'> {}

/** What a schema makes of what it is given. */
export type OutputOf<Schema extends ValueSchema> = Schema['_zod']['output'];

/** What a schema takes. */
export type InputOf<Schema extends ValueSchema> = Schema['_zod']['input'];

/** The schema with all that zod gives it, for a definition whose schemas `createCatalog` has checked. */
export function zodObject(schema: ObjectSchema<unknown, unknown>): z.ZodObject {
  return schema as unknown as z.ZodObject;
}

/** The same for a schema of anything. */
export function zodValue<Value>(schema: ValueSchema<Value>): z.ZodType<Value> {
  return schema as unknown as z.ZodType<Value>;
}
