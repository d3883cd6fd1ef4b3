/** A value that JSON can carry. A member that is `undefined` is left out, as `JSON.stringify` does. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}
