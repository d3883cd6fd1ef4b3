import type { JsonObject } from './json.ts';

/** A result as the text that is sent. */
export interface EncodedJson {
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
}

// On the result itself, where a copy with other members does not take it along. A map beside it would cost the garbage
// collector more than all the rest of a call.
const ENCODED = Symbol('encoded');

interface MaybeEncoded extends JsonObject {
  readonly [ENCODED]?: EncodedJson;
}

/**
 * The JSON text of a result of a method table, on which its size was counted: what a transport writes instead of
 * encoding it again. `undefined` for any other object. Do not change a result that has one.
 */
export function encodedJson(result: JsonObject): EncodedJson | undefined {
  return (result as MaybeEncoded)[ENCODED];
}

/** Encodes a result, once however often it is asked for. Throws what JSON cannot say. */
export function encodeJson(result: JsonObject): EncodedJson {
  const known = encodedJson(result);
  if (known !== undefined) {
    return known;
  }
  const text = JSON.stringify(result);
  const encoded = { text, bytes: Buffer.byteLength(text) };
  Object.defineProperty(result, ENCODED, { value: encoded });
  return encoded;
}

// Enumerable, so that a copy with other members takes it along; no text ever shows a symbol.
const SOURCE = Symbol('source');

/** A result for an SDK that adds members of its own to a copy of it; see {@link resultText}. */
export function traceable(result: JsonObject): JsonObject {
  return encodedJson(result) === undefined ? result : { ...result, [SOURCE]: result };
}

/**
 * The JSON text of a result of a method table, whatever an SDK has added to it on its way to the transport. What has
 * been encoded once is not encoded again.
 */
export function resultText(result: object): string {
  const source = (result as { readonly [SOURCE]?: JsonObject })[SOURCE];
  const encoded = encodedJson(source ?? (result as JsonObject));
  if (encoded === undefined || source === undefined) {
    return encoded?.text ?? JSON.stringify(result);
  }
  const added: [string, unknown][] = [];
  for (const entry of Object.entries(result)) {
    const [name, value] = entry;
    if (!Object.hasOwn(source, name)) {
      added.push(entry);
    } else if (source[name] !== value) {
      return JSON.stringify(result);
    }
  }
  // Not by assignment, which takes `__proto__` for something else.
  const rest = JSON.stringify(Object.fromEntries(added));
  if (rest === '{}') {
    return encoded.text;
  }
  return encoded.text === '{}' ? rest : `${encoded.text.slice(0, -1)},${rest.slice(1)}`;
}
