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
