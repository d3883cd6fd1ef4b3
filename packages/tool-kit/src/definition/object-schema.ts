import type { z } from 'zod';

/**
 * A zod schema of an object, by the few members that a definition is typed with. To compare all of zod's type with
 * that of another version of zod takes the compiler more memory than it has; of these it says at once which differs.
 */
export interface ObjectSchema<Output = Record<string, unknown>, Input = Record<string, unknown>> {
  readonly _zod: {
    readonly version: z.core.$ZodTypeInternals['version'];
    readonly def: { readonly type: 'object' };
    readonly output: Output;
    readonly input: Input;
  };
  /** Tells a schema of zod from one of zod/mini. */
  readonly describe: (description: string) => unknown;
}

/** What a schema makes of what it is given. */
export type OutputOf<Schema extends ObjectSchema<unknown, unknown>> = Schema['_zod']['output'];

/** What a schema takes. */
export type InputOf<Schema extends ObjectSchema<unknown, unknown>> = Schema['_zod']['input'];

/** The schema with all that zod gives it, for a definition whose schemas `createCatalog` has checked. */
export function zodObject(schema: ObjectSchema<unknown, unknown>): z.ZodObject {
  return schema as unknown as z.ZodObject;
}
