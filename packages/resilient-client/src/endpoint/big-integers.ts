/** Parses JSON without rounding: integers that a number cannot hold become a `bigint`, or a string of their digits. */
export function parseBigIntegers(json: string, as: 'bigint' | 'string'): unknown {
  // A reviver costs several times the parsing, and nearly no response has such a number.
  if (!/\d{16}/.test(json)) {
    return JSON.parse(json);
  }
  return JSON.parse(json, (_name: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) {
      return value;
    }
    if (!/^-?\d+$/.test(source)) {
      return value;
    }
    return as === 'bigint' ? BigInt(source) : source;
  });
}

/** Writes JSON; a `bigint`, which JSON.stringify refuses, as the number it is. */
export function stringifyJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_name, item: unknown) =>
      typeof item === 'bigint' ? rawJson(String(item)) : item,
    );
  }
}

/** What ECMAScript has and the types do not say yet (proposal-json-parse-with-source). */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => object };
