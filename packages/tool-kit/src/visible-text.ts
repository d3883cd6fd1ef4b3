import { encodedJson, encodeJson } from './encoded-json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * What nobody sees: controls but tab and line breaks, what turns the direction of text around (Unicode, "Bidirectional
 * Algorithm"), halves of characters, and what takes no room (Unicode, "Default_Ignorable_Code_Point", and the marks of
 * interlinear annotation), such as zero-width spaces, tags and selectors, in which whole messages can hide. A person would
 * approve one text, and a model read another. A joiner stays where its script or an emoji needs it, and a selector behind
 * a character that has two looks, one of each at most.
 */
const UNSEEN =
  /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}\p{Cs}\uFFF9-\uFFFB]|(?!(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F])\u200D(?=\p{Extended_Pictographic})|(?<=[[\p{L}\p{M}]--[\p{scx=Latin}\p{scx=Greek}\p{scx=Cyrillic}]])[\u200C\u200D](?=[[\p{L}]--[\p{scx=Latin}\p{scx=Greek}\p{scx=Cyrillic}]])|(?<=[\p{Emoji}])[\uFE0E\uFE0F])\p{Default_Ignorable_Code_Point}/v;
const ALL_UNSEEN = new RegExp(UNSEEN, 'gv');

// In JSON, each is an escape or beyond ASCII: the first is a quick look, the second a closer one.
const MAYBE_UNSEEN = /[^\u0020-\u007e]|\\[ubf]/u;
const LIKELY_UNSEEN = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]|\\[ubf]/u;

/** The first character of a text that nobody sees, as `U+202E`. */
export function unseenIn(text: string): string | undefined {
  const found = UNSEEN.exec(text)?.[0];
  return found === undefined
    ? undefined
    : `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The text without what nobody sees. */
export function visibleText(text: string): string {
  let seen = text;
  // What was between two halves of a character, or in front of a selector, is gone.
  while (UNSEEN.test(seen)) {
    seen = seen.replaceAll(ALL_UNSEEN, '');
  }
  return seen;
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
    return visibleText(value);
  }
  if (Array.isArray(value)) {
    return value.map(clean);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).map(([name, member]) => [
          visibleText(name),
          member === undefined ? undefined : clean(member),
        ]),
      )
    : value;
}
