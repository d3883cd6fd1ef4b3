/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** A deep copy as JSON stores it, which later changes to the original do not reach. @throws {TypeError} for any other value */
export function snapshot(value: JsonObject): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new TypeError('not a JSON object');
  }
  // What JSON.parse returns is JSON, and the check above leaves only objects.
  return copy as JsonObject;
}

/** The same text for equal objects, whatever the order of their members: to tell one input from another. */
export function sortedText(value: JsonValue | undefined): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
