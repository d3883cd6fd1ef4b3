import { encodedJson, encodeJson } from './encoded-json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * What nobody sees: controls but tab and line breaks, what turns the direction of text around (Unicode, "Bidirectional
 * Algorithm"), and halves of characters. A person would approve one text, and a model read another.
 */
const UNSEEN = /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}\p{Cs}]/u;
const ALL_UNSEEN = new RegExp(UNSEEN, 'gu');

// In JSON, each is an escape or beyond ASCII: the first is a quick look, the second a closer one.
const MAYBE_UNSEEN = /[^\u0020-\u007e]|\\[ubf]/u;
const LIKELY_UNSEEN = /[\p{Cc}\p{Bidi_Control}]|\\[ubf]/u;

/** The first character of a text that nobody sees, as `U+202E`. */
export function unseenIn(text: string): string | undefined {
  const found = UNSEEN.exec(text)?.[0];
  return found === undefined
    ? undefined
    : `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The same result without what nobody sees, in any of its texts. */
export function withoutUnseen(result: JsonObject): JsonObject {
  const { text } = encodedJson(result) ?? encodeJson(result);
  // What is encoded is an object.
  return MAYBE_UNSEEN.test(text) && LIKELY_UNSEEN.test(text)
    ? (clean(JSON.parse(text) as JsonValue) as JsonObject)
    : result;
}

function clean(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    return value.replaceAll(ALL_UNSEEN, '');
  }
  if (Array.isArray(value)) {
    return value.map(clean);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).map(([name, member]) => [
          name.replaceAll(ALL_UNSEEN, ''),
          member === undefined ? undefined : clean(member),
        ]),
      )
    : value;
}
